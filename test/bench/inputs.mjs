import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from './generate.mjs';

export const SEED = 1;

/** Endings of inputs that are no RDB. */
const ENDINGS = { aof: '', strings: '.aof' };

/** The input of a kind and size: made under another name first, so that what stands under its own is whole. */
export async function inputOf(kind, dir, sizeBytes) {
  mkdirSync(dir, { recursive: true });
  const place = join(dir, `${kind}-${sizeBytes}-${SEED}${ENDINGS[kind] ?? '.rdb'}`);
  const path = kind === 'aof' ? join(place, 'appendonlydir', 'appendonly.aof.1.incr.aof') : place;
  const facts = `${place}.json`;
  if (!existsSync(path)) {
    process.stderr.write(`making ${place}\n`);
    for (const old of [place, `${place}.part`]) rmSync(old, { recursive: true, force: true });
    const { keys, commands } = await generate(kind, { size: sizeBytes, out: `${place}.part`, seed: SEED });
    writeFileSync(facts, JSON.stringify({ keys, commands }));
    renameSync(`${place}.part`, place);
  }
  const known = existsSync(facts) ? JSON.parse(readFileSync(facts, 'utf8')) : {};
  return { path, directory: place, bytes: statSync(path).size, ...known };
}

/** Removes an input and all that was made beside it. */
export function discard({ directory }) {
  for (const ending of ['', '.json', '.altered', '.ndjson', '.data', '.vcs']) {
    rmSync(`${directory}${ending}`, { recursive: true, force: true });
  }
}
