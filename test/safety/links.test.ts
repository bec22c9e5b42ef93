import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { temporaryDirectory } from '../support/temporary.js';
import { tree } from '../support/tree.js';

// A data directory that somebody else made, whose links and manifest lead out of it: nothing outside is changed, and
// nothing of it but the log's own files ends in an output.

const TORN = '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*3\r\n$3\r\nSE';
const PRECIOUS = 'root:x:0:0:PRECIOUS';
const LOG = 'appendonly.aof.1.incr.aof';

let home = '';
const place = (...names: string[]): string => join(home, ...names);
const log = (...names: string[]): string => place('data', 'appendonlydir', ...names);

beforeEach(() => {
  home = temporaryDirectory('links');
  mkdirSync(log(), { recursive: true });
  mkdirSync(place('outside'));
  writeFileSync(log('appendonly.aof.manifest'), `file ${LOG} seq 1 type i\n`);
  writeFileSync(log(LOG), TORN);
  writeFileSync(place('outside', 'passwd'), PRECIOUS);
  writeFileSync(place('outside', 'torn.aof'), TORN);
  symlinkSync('../outside/passwd', place('data', 'users.acl'));
  symlinkSync('../outside', place('data', 'more'));
});

/** Ways in which the log itself stands outside. */
const LAYOUTS: readonly (readonly [string, () => void])[] = [
  [
    'the log is a link',
    () => {
      renameSync(log(LOG), place('outside', 'torn.aof'));
      symlinkSync('../../outside/torn.aof', log(LOG));
    },
  ],
  [
    'its directory is a link',
    () => {
      renameSync(log(), place('outside', 'log'));
      symlinkSync('../outside/log', log());
    },
  ],
  [
    'its manifest names a path',
    () => {
      const second = 'file ../../outside/torn.aof seq 2 type i\n';
      writeFileSync(log('appendonly.aof.manifest'), `file ${LOG} seq 1 type i\n${second}`);
    },
  ],
];

const COMMANDS: readonly (readonly string[])[] = [
  ['repair', 'DATA', '--in-place', '--yes'],
  ['repair', 'DATA', '--out', 'OUT'],
  ['repair', 'DATA', '--out', 'OUT', '--link'],
  ['repair', 'MANIFEST', '--in-place', '--yes', '--quarantine', 'OUT'],
  ['recover', 'DATA', '--out', 'OUT'],
  ['check-aof', '--fix', '--yes', 'MANIFEST'],
  ['compact', 'DATA', '--out', 'OUT'],
  ['replay', 'DATA', '--no-execute', '--out', 'OUT'],
];

describe.each(LAYOUTS)('%s', (name, lay) => {
  it.each(COMMANDS.map((argv) => [argv.join(' '), argv] as const))('%s', async (_title, argv) => {
    lay();
    const before = tree(place('outside'));
    const words = argv.map((word) =>
      word
        .replace('DATA', place('data'))
        .replace('OUT', place('out'))
        .replace('MANIFEST', log('appendonly.aof.manifest')),
    );
    const { exit, both } = await runCli(words);
    expect(both).not.toContain('internal error');
    // The directory that the manifest stands in is the one that was named.
    const isNamed = name === 'its directory is a link' && argv.includes('MANIFEST');
    if (!isNamed) expect(tree(place('outside'))).toEqual(before);
    const isChange = argv.includes('--in-place') || argv.includes('--fix');
    if (isChange && !isNamed && name !== 'its manifest names a path') {
      expect(both).toContain('link leads out');
      expect(exit).toBeGreaterThan(0);
    }
    if (existsSync(place('out'))) expect(JSON.stringify(tree(place('out')))).not.toContain(PRECIOUS);
  });
});

it('a link that is named itself is followed', async () => {
  symlinkSync('outside/torn.aof', place('named.aof'));
  const { exit } = await runCli(['repair', place('named.aof'), '--in-place', '--yes']);
  expect(exit).toBe(0);
  expect(readFileSync(place('outside', 'torn.aof'), 'latin1')).toBe(TORN.slice(0, 27));
});
