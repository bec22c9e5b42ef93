import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { type CorpusCase, type CorruptTruth, corruptCases } from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';

const home = temporaryDirectory('official');

describe('the checkers under the old names say what those of Redis 7.0.15 said', () => {
  for (const one of corruptCases('redis-7.0.15')) {
    const { name, truth } = one;
    const { check } = truth;
    if (check.exit_code < 0) {
      // The official program dies of a signal here; what matters is that ours does not.
      test(`${name}, of which the official program died`, async () => {
        expect((await run(one, check.argv)).exit).toBe(1);
      });
      continue;
    }
    test(`${name}: ${truth.what}`, async () => {
      const { exit, output } = await run(one, check.argv);
      expect(bare(output)).toBe(bare(check.output));
      expect(exit).toBe(check.exit_code);
    });
  }
});

describe('the fix under the old name leaves what that of Redis 7.0.15 left', () => {
  for (const one of corruptCases('redis-7.0.15')) {
    const { fix } = one.truth;
    if (fix === undefined || fix.exit_code < 0) continue;
    test(`${one.name}: ${one.truth.what}`, async () => {
      const { exit, directory } = await run(one, [...fix.argv, '--yes'], 'fix-');
      expect(exit).toBe(fix.exit_code);
      const left = Object.keys(fix.files_after).map((name) => {
        const bytes = readFileSync(join(directory, name));
        return [name, { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }];
      });
      expect(Object.fromEntries(left)).toEqual(fix.files_after);
    });
  }
});

/** Runs the command that was given to the official program, on a copy under the names it had. */
async function run(
  one: CorpusCase<CorruptTruth>,
  argv: readonly string[],
  folder = '',
): Promise<{ exit: number; output: string; directory: string }> {
  const directory = join(home, folder + one.name);
  mkdirSync(directory);
  cpSync(one.path, one.truth.kind === 'rdb' ? join(directory, 'dump.rdb') : directory, { recursive: true });
  const [program, ...args] = argv.map((word) => word.replace('<dir>', directory));
  const ran = await runCli([program!.replace('redis-', ''), ...args]);
  return { exit: ran.exit, output: (ran.stdout + ran.stderr).replaceAll(directory, '<dir>'), directory };
}

/**
 * Without what no other program can print: the stamp (process, role, time) and the blank lines that come with lines of
 * the server's own log, the line of the server's source that noticed an error, and memory it had not read into.
 */
function bare(output: string): string {
  return output
    .replace(/^\d+:C .*? # /gm, '')
    .replace(/^\[offset \d+\] Internal error in RDB reading offset .*\n/gm, 'Internal error in RDB\n')
    .replace(/^Terminating server after rdb file reading failure\.$/gm, '')
    .replace(/(Expected \\r\\n, got: )00.*/g, '$1…')
    .replace(/\n+/g, '\n');
}
