import { basename, join } from 'node:path';
import { statsOf } from '../../bytes/file-tree.js';
import { type ByteSource, FileSource, inputErrorOf, readHead } from '../../bytes/source.js';
import { readdir } from '../../bytes/system.js';
import { isTar } from '../../bytes/tar.js';
import { packingOf } from '../../bytes/unpack.js';
import { InputError } from '../../errors.js';
import type { ToolContext } from '../context.js';
import { periodName, periodOf, periodsWanted, type RetentionRules } from './retention.js';
import { PLAIN_RULES, type RuleResult } from './rules.js';
import {
  type SourceRun,
  type SourceSurroundings,
  settled,
  type VerifyTarget,
  verifySource,
} from './source.js';
import type { BackupEntry } from './verdict.js';

interface Candidate {
  readonly path: string;
  readonly madeAtMs: number;
}

/** Entries of a directory that are looked at. */
const ENTRIES_MAX = 100_000;
const HEAD_BYTES = 4096;
const NAMED = /\.(rdb|aof|tar|tgz|gz|zst|lz4)$/i;
/** Gaps named one by one. */
const GAPS_NAMED = 10;

/**
 * Verifies a directory of backups: the newest by all rules, and of each period that must have one the newest that is
 * intact. Times are those in the files, in their names, or their own. @throws the signal's reason
 */
export async function verifyBackups(
  target: VerifyTarget,
  rules: RetentionRules,
  surroundings: SourceSurroundings,
  context: ToolContext,
): Promise<SourceRun> {
  let candidates: readonly Candidate[];
  try {
    candidates = await candidatesIn(target.path);
  } catch (error) {
    return settled(target, surroundings, context, () => Promise.reject(error as Error));
  }
  const newest = candidates[0]!;
  const run = await verifySource({ ...target, path: newest.path, backups: null }, surroundings, context);
  const seen = new Map<string, BackupEntry>([[newest.path, entryOf(newest, run)]]);
  const verified: SourceRun[] = [];
  const results: RuleResult[] = [];
  for (const { period, count } of rules) {
    const gaps: number[] = [];
    for (const wanted of periodsWanted(period, count, context.nowMs, newest.madeAtMs)) {
      const inside = candidates.filter(({ madeAtMs }) => periodOf(period, madeAtMs) === wanted);
      let isGood = false;
      for (const candidate of inside) {
        isGood = (seen.get(candidate.path) ?? (await verifyOlder(candidate))).ok === true;
        if (isGood) break;
      }
      if (!isGood) gaps.push(wanted);
    }
    const named = gaps.slice(0, GAPS_NAMED).map((index) => periodName(period, index));
    const more = gaps.length > GAPS_NAMED ? ` and ${gaps.length - GAPS_NAMED} more` : '';
    results.push({
      ...{ name: 'retention', ok: gaps.length === 0, value: count - gaps.length, limit: count, of: period },
      detail: { gaps: `${named.join(', ')}${more}` },
    });
  }

  async function verifyOlder(candidate: Candidate): Promise<BackupEntry> {
    const older = {
      ...target,
      path: candidate.path,
      rules: PLAIN_RULES,
      drill: null,
      against: null,
      backups: null,
    };
    const each = await verifySource(older, { ...surroundings, baseline: null }, context);
    verified.push(each);
    const entry = entryOf(candidate, each);
    seen.set(candidate.path, entry);
    return entry;
  }

  const all = [...run.verdict.rules, ...results];
  const ok = all.every((rule) => rule.ok);
  const backups = candidates.map(
    ({ path, madeAtMs }) => seen.get(path) ?? { path, madeAtMs, ok: null, failed: [] },
  );
  const durationMs = [run, ...verified].reduce((sum, each) => sum + each.verdict.durationMs, 0);
  const verdict = {
    ...run.verdict,
    ...{ ok, rules: all, backups, durationMs },
    lastGoodMs: ok ? run.verdict.lastGoodMs : surroundings.lastGoodMs,
  };
  return { ...run, verdict, inputs: [run, ...verified].flatMap((each) => each.inputs) };
}

function entryOf({ path, madeAtMs }: Candidate, { verdict }: SourceRun): BackupEntry {
  const failed = verdict.rules.filter((rule) => !rule.ok).map((rule) => rule.name);
  return { path, madeAtMs, ok: failed.length === 0, failed };
}

/** Everything in a directory that is or should be a backup, the newest first. @throws InputError */
async function candidatesIn(directory: string): Promise<Candidate[]> {
  const names = await readdir(directory).catch((error) => {
    throw inputErrorOf(error, directory);
  });
  if (names.length > ENTRIES_MAX) {
    throw new InputError(
      'input/too-many',
      directory,
      `holds ${names.length} entries`,
      'is it the right directory?',
    );
  }
  const list: Candidate[] = [];
  for (const name of names.sort()) {
    const path = join(directory, name);
    const stats = await statsOf(path);
    if (name.startsWith('.') || /\.partial-[0-9a-f]{12}$/.test(name)) continue;
    const head = stats?.isFile() === true ? await headOf(path) : null;
    const isOne = stats?.isDirectory() === true || (head !== null && (NAMED.test(name) || isBackup(head)));
    if (stats === null || !isOne) continue;
    list.push({ path, madeAtMs: ctimeIn(head) ?? timeInName(name) ?? stats.mtimeMs });
  }
  if (list.length === 0) {
    throw new InputError('input/no-backups', directory, 'holds no backup', 'is it the right directory?');
  }
  return list.sort((a, b) => b.madeAtMs - a.madeAtMs || (basename(a.path) < basename(b.path) ? 1 : -1));
}

async function headOf(path: string): Promise<Buffer | null> {
  const source: ByteSource | null = await FileSource.at(path).catch(() => null);
  return source === null ? Buffer.alloc(0) : readHead(source, HEAD_BYTES).catch(() => Buffer.alloc(0));
}

function isBackup(head: Buffer): boolean {
  return (
    /^(REDIS\d|VALKEY\d|\*\d|#TS:)/.test(head.toString('latin1', 0, 16)) ||
    packingOf(head) !== null ||
    isTar(head)
  );
}

/** The aux field as servers write it: a name of five bytes, and a number of 32 bits or as text. */
function ctimeIn(head: Buffer | null): number | null {
  if (head === null || !/^(REDIS|VALKEY)/.test(head.toString('latin1', 0, 8))) return null;
  const at = head.indexOf('\xfa\x05ctime', 0, 'latin1') + 7;
  if (at < 7 || at + 5 > head.length) return null;
  if (head[at] === INT32) return head.readInt32LE(at + 1) * 1000;
  const length = head[at]!;
  const text = head.toString('latin1', at + 1, at + 1 + length);
  return length <= 12 && /^\d+$/.test(text) ? Number(text) * 1000 : null;
}

const INT32 = 0xc2;

/** `2026-03-01`, `20260301`, with `T0215`, `_02-15-00` and the like behind it; or unix seconds. By UTC. */
function timeInName(name: string): number | null {
  const match =
    /(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?:[T_. -]?(\d\d)[:.h-]?(\d\d)(?:[:.m-]?(\d\d))?)?(?!\d)/.exec(name);
  if (match !== null) {
    const [year, month, day, hour = 0, minute = 0, second = 0] = match
      .slice(1)
      .map((part) => Number(part ?? 0));
    const ms = Date.UTC(year!, month! - 1, day!, hour, minute, second);
    if (month! >= 1 && month! <= 12 && day! >= 1 && day! <= 31 && hour < 24) return ms;
  }
  const seconds = /(?<!\d)(1[5-9]\d{8}|[2-3]\d{9})(?!\d)/.exec(name);
  return seconds === null ? null : Number(seconds[1]) * 1000;
}
