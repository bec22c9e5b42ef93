import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { readTarGz } from '../support/tar.js';
import { testdata } from '../support/testdata.js';

/** Larger files take too long a turn for what they add. */
const FILE_MAX = 40_000;

const archives = new Map<string, ReadonlyMap<string, Buffer>>();

/** The small files of the archives in one room of testdata whose names match. */
export function archived(room: string, wanted: RegExp, bytesMax = FILE_MAX): Buffer[] {
  const found: Buffer[] = [];
  for (const name of readdirSync(testdata(room)).sort()) {
    if (!name.endsWith('.tar.gz')) continue;
    const key = `${room}/${name}`;
    let files = archives.get(key);
    if (files === undefined) archives.set(key, (files = readTarGz(readFileSync(testdata(room, name)))));
    for (const [path, bytes] of files) {
      if (wanted.test(path) && !path.endsWith('.truth.json') && bytes.length <= bytesMax) found.push(bytes);
    }
  }
  return found;
}

/** The small files of one folder of testdata. */
export function plainFiles(room: string, wanted: RegExp, bytesMax = FILE_MAX): Buffer[] {
  return readdirSync(testdata(room))
    .filter((name) => wanted.test(name))
    .sort()
    .map((name) => readFileSync(testdata(room, name)))
    .filter(({ length }) => length <= bytesMax);
}

/** The same behind the bytes that say how they are to be taken. */
export function withMode(inputs: readonly Buffer[], ...modes: readonly (readonly number[])[]): Buffer[] {
  return inputs.flatMap((bytes, i) => [Buffer.concat([Buffer.from(modes[i % modes.length]!), bytes])]);
}

export const gzipped = (bytes: Buffer): Buffer => gzipSync(bytes);

export const texts = (...words: readonly string[]): Buffer[] =>
  words.map((word) => Buffer.from(word, 'latin1'));
