import { createHash } from 'node:crypto';
import { chmodSync, cpSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { disagreements, officialLines } from '../support/checker-lines.js';
import {
  aofCases,
  type CheckTruth,
  type CorpusCase,
  type CorruptTruth,
  corruptCases,
} from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';
import { runCli } from './memory-io.js';

// Line by line what redis-check-aof and redis-check-rdb 7.0.15 printed, their exit codes, and what --fix and
// --truncate-to-timestamp left.

/** The clock stood here, more or less, when the official checkers ran. */
const CHECKED_AT = Date.parse('2026-11-22T07:30:00Z');
const SERVER = 'redis-7.0.15';
const CASES = corruptCases(SERVER);

interface FixTruth extends CheckTruth {
  readonly files_after: Readonly<Record<string, { readonly size: number; readonly sha256: string }>>;
  readonly changed: boolean;
}

function wordsOf(truth: CheckTruth, path: string): string[] {
  const [tool, ...words] = truth.argv;
  return [tool!.replace('redis-', ''), ...words.map((word) => placed(word, path))];
}

/** What stood as `<dir>` in the truth, with the case at `path`. */
function placed(text: string, path: string): string {
  return path.endsWith('.rdb') ? text.replaceAll('<dir>/dump.rdb', path) : text.replaceAll('<dir>', path);
}

async function expectAgreement(truth: CheckTruth, path: string, stdin = ''): Promise<void> {
  const ran = await runCli(wordsOf(truth, path), { nowMs: CHECKED_AT, stdin: Buffer.from(stdin) });
  expect(disagreements(officialLines(placed(truth.output, path)), officialLines(ran.stdout))).toEqual([]);
  expect(ran.exit).toBe(truth.exit_code);
}

describe('damaged files, checked', () => {
  it.each(CASES.map((each) => [each.name, each] as const))('%s', async (_, { path, truth }) => {
    const before = fingerprint(path);
    await expectAgreement(truth.check, path);
    expect(fingerprint(path)).toEqual(before);
  });
});

describe('damaged logs, fixed', () => {
  const fixed = CASES.filter((each) => each.truth.fix !== undefined);

  it('are there', () => expect(fixed.length).toBeGreaterThan(90));

  it.each(fixed.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const path = writableCopy(each);
    const before = fingerprint(path);
    const truth = each.truth.fix as FixTruth;
    await expectAgreement(truth, path, 'y\n');
    const after = fingerprint(path);
    const backups = Object.keys(after).filter((name) => name.includes('.bak-'));
    const left = Object.fromEntries(Object.entries(after).filter(([name]) => !backups.includes(name)));
    const wanted = Object.entries(truth.files_after).map(([name, { sha256 }]) => [name, sha256]);
    expect(left).toEqual(Object.fromEntries(wanted));
    expect(backups).toHaveLength(truth.changed ? 1 : 0);
    for (const name of backups) expect(after[name]).toBe(before[name.replace(/\.bak-.*/, '')]);
    if (truth.changed) {
      expect(await runCli([...wordsOf(truth, path), '--yes']), 'a second fix').toMatchObject({ exit: 0 });
      expect(fingerprint(path)).toEqual(after);
    }
    const { digest } = each.truth.load_after_fix ?? {};
    if (digest === undefined) return;
    const { exit, stdout } = await runCli(['digest', path, '--json', '--as', 'redis-7.0']);
    expect(exit, 'what the server had after the fix of the original').toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ digest });
  });

  it('were loaded by the server, many of them', () => {
    const loaded = fixed.filter(({ truth }) => truth.load_after_fix?.digest !== undefined);
    expect(loaded.length).toBeGreaterThan(30);
  });
});

describe('intact logs, truncated to a time', () => {
  const cuts = aofCases(SERVER).flatMap((each) =>
    (each.truth.truncate_to_timestamp ?? []).map(
      (cut) => [`${each.name} ${cut.timestamp}`, each, cut] as const,
    ),
  );

  it('are there', () => expect(cuts.length).toBeGreaterThan(10));

  it.each(cuts)('%s', async (_, each, cut) => {
    const path = writableCopy(each);
    const directory = join(path, 'appendonlydir');
    const manifest = join(directory, readdirSync(directory).find((name) => name.endsWith('.manifest'))!);
    const ran = await runCli(['check-aof', '--truncate-to-timestamp', `${cut.timestamp}`, manifest], {
      nowMs: CHECKED_AT,
    });
    const theirs = officialLines(cut.output.replaceAll(/\S*\/(?=appendonlydir\/)/g, `${path}/`));
    expect(disagreements(theirs, officialLines(ran.stdout))).toEqual([]);
    expect(ran.exit).toBe(cut.exit_code);
    for (const [name, { size }] of Object.entries(cut.files_after ?? {})) {
      expect(statSync(join(directory, name)).size, name).toBe(size);
    }
  });
});

function writableCopy(each: Pick<CorpusCase<CorruptTruth>, 'name' | 'path'>): string {
  const copy = join(temporaryDirectory('fix'), each.name);
  cpSync(each.path, copy, { recursive: true });
  for (const name of filesIn(copy)) chmodSync(name, 0o644);
  return copy;
}

/** SHA-256 by file name, relative to the directory of the case. */
function fingerprint(path: string): Record<string, string> {
  const root = path.endsWith('.rdb') ? dirname(path) : path;
  const files = path.endsWith('.rdb') ? [path] : filesIn(path);
  return Object.fromEntries(
    files.map((file) => [
      relative(root, file),
      createHash('sha256').update(readFileSync(file)).digest('hex'),
    ]),
  );
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
