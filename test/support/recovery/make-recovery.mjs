// Makes the directories of testdata/recovery: real servers that are killed at chosen moments, and what became of their
// files. Needs redis-server 7.0, a C compiler, and for the full disk the right to mount. testdata/README.md tells of the
// result. Usage: node test/support/recovery/make-recovery.mjs FOLDER [CASE…]

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVER, Server, work } from './crashing-server.mjs';
import { DAMAGED_CASES } from './damaged-cases.mjs';
import { REWRITE_CASES } from './rewrite-cases.mjs';

const [folder, ...wanted] = process.argv.slice(2);
const CASES = { ...DAMAGED_CASES, ...REWRITE_CASES };

/** What a server makes of a copy of the directory. */
async function startOn(directory, args) {
  const copy = mkdtempSync(join(work, 'copy-'));
  cpSync(directory, copy, { recursive: true, preserveTimestamps: true });
  const server = await Server.start(copy, { args: [...args, '--enable-debug-command', 'yes'] });
  const settings = args.join(' ').replaceAll('--', '');
  if (!server.started) {
    return { settings, started: false, exit: await server.ended, log: server.lines() };
  }
  const state = await server.state();
  const lines = server.lines();
  await server.kill();
  const filesAfter = readdirSync(copy, { recursive: true }).filter((name) =>
    statSync(join(copy, name)).isFile(),
  );
  return { settings, started: true, ...state, log: lines, filesAfter: filesAfter.sort() };
}

for (const [name, make] of Object.entries(CASES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { directory, held, what } = await make();
  const starts = [
    await startOn(directory, []),
    await startOn(directory, ['--appendonly', 'yes']),
    await startOn(directory, ['--appendonly', 'no']),
    await startOn(directory, ['--appendonly', 'yes', '--aof-load-truncated', 'no']),
  ];
  const out = join(folder, name);
  rmSync(out, { recursive: true, force: true });
  cpSync(directory, join(out, 'data'), { recursive: true, preserveTimestamps: true });
  rmSync(join(out, 'data', 'redis.sock'), { force: true });
  const modified = Object.fromEntries(
    readdirSync(directory, { recursive: true })
      .filter((file) => statSync(join(directory, file)).isFile())
      .map((file) => [file, Math.floor(statSync(join(directory, file)).mtimeMs)]),
  );
  const version = execFileSync(SERVER, ['--version'], { encoding: 'utf8' }).match(/v=(\S+)/)[1];
  writeFileSync(
    join(out, 'truth.json'),
    `${JSON.stringify({ case: name, server: version, what, held, modified, starts }, null, 1)}\n`,
  );
  console.log(
    name,
    held.digest?.slice(0, 8),
    starts.map((each) => (each.started ? each.digest.slice(0, 8) : 'refused')).join(' '),
  );
}
rmSync(work, { recursive: true, force: true });
process.exit(0);
