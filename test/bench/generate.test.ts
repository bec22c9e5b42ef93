import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { temporaryDirectory } from '../support/temporary.js';

interface Made {
  readonly path: string;
  readonly bytes: number;
  readonly commands?: number;
  readonly keys?: number;
}

const { generate, parseSize } = (await import('./generate.mjs' as string)) as {
  generate(kind: string, options: { size: number; out: string; seed?: number }): Promise<Made>;
  parseSize(text: string): number;
};

const SIZE = 300_000;

describe.each(['aof', 'rdb-small', 'rdb-mixed', 'huge-string', 'huge-hash'])('the generated %s', (kind) => {
  const out = join(temporaryDirectory('bench'), kind);

  it('is intact, and about as large as asked for', async () => {
    const made = await generate(kind, { size: SIZE, out });
    expect(made.bytes).toBeGreaterThan(SIZE * 0.85);
    expect(made.bytes).toBeLessThan(SIZE * 1.15);
    const { files } = JSON.parse((await runCli(['check', made.path, '--json'])).stdout);
    const { path, keys, commands } = made;
    const counted = commands === undefined ? { keys } : { commands };
    expect(files).toMatchObject([{ path, problems: [], ...counted }]);
  });

  it('depends on the seed alone', async () => {
    const first = readFileSync((await generate(kind, { size: SIZE, out, seed: 5 })).path);
    const again = readFileSync((await generate(kind, { size: SIZE, out, seed: 5 })).path);
    const other = readFileSync((await generate(kind, { size: SIZE, out, seed: 6 })).path);
    expect(again.equals(first)).toBe(true);
    expect(other.equals(first)).toBe(false);
  });
});

describe('sizes', () => {
  it.each([
    ['1GB', 1e9],
    ['100MB', 1e8],
    ['1.5k', 1500],
    ['77', 77],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it('refuses what is none', () => {
    for (const text of ['', 'MB', '1TB', '-1', '1e3']) expect(() => parseSize(text)).toThrow('not a size');
  });
});

it('the altered RDB has the same keys in another order, and one value in ten thousand is another', async () => {
  const { alterSmallRdb } = (await import('./alter-rdb.mjs' as string)) as {
    alterSmallRdb(from: string, to: string): Promise<number>;
  };
  const out = join(temporaryDirectory('bench'), 'small.rdb');
  const { path, keys } = await generate('rdb-small', { size: 2 * SIZE, out });
  expect(await alterSmallRdb(path, `${path}.altered`)).toBe(1);
  expect((await runCli(['check', `${path}.altered`])).exit).toBe(0);
  const { exit, stdout } = await runCli(['diff', path, `${path}.altered`, '--summary', '--json']);
  expect(exit).toBe(1);
  expect(JSON.parse(stdout).summary).toMatchObject({ added: 0, removed: 0, changed: 1, same: keys! - 1 });
});
