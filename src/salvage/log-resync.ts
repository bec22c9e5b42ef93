import type { FormatError } from '../errors.js';
import type { FindingCode } from '../model/finding.js';
import { badPrefix, CR, DOLLAR, HASH, LF, STAR } from '../resp/grammar.js';
import type { DamagedRange, DoubtfulRange } from './damage.js';
import { followChain, type RecordChain } from './log-chain.js';
import { Evidence, isArgument, isBrokenOff, type Verdict } from './log-evidence.js';
import { HEAD_BYTES, isRecordHead } from './log-heads.js';
import type { LogProbe } from './log-probe.js';
import { findRepeat } from './log-repeat.js';

/** A chain of fewer records that breaks off in the middle of nowhere is not believed without further evidence. */
const SHORT_CHAIN = 8;
/** Bytes before a place that a length line can take. */
const LOOK_BACK = 32;

/** Where records are believed again, up to what ended them: null at the end of the input. */
export interface BelievedChain {
  readonly start: number;
  readonly end: number;
  readonly error: FormatError | null;
}

/** What lies between two places where records are believed, in order. */
export type Gap =
  | { readonly kind: 'damage'; readonly range: DamagedRange }
  | { readonly kind: 'doubtful'; readonly range: DoubtfulRange };

export interface Resynchronised {
  readonly gaps: readonly Gap[];
  /** Null when no more records are believed. */
  readonly next: BelievedChain | null;
}

/**
 * Finds the next whole records behind the damaged one at `start` and tells what lies between: everything from the first byte of the
 * damaged record on is looked at, so what a damaged length swallowed is found. Records are whole when they are framed
 * from end to end and the first is a command some release knows with so many arguments. They are doubtful when
 *
 * - an argument whose length line stands in the damaged bytes ends with one of them or goes on behind them;
 * - an argument ends there whose length line would be whole but for one byte;
 * - they are followed by what follows a value: a line end and the next record, or another argument;
 * - they are few and followed by nothing that could be a record, damaged or not.
 *
 * In the last two cases they are believed all the same, except for a last record that has lost arguments, when an
 * argument ends right before the first: then that is no place inside a value.
 *
 * @throws what reading the source throws
 */
export async function resynchronise(
  probe: LogProbe,
  start: number,
  error: FormatError,
): Promise<Resynchronised> {
  const search = new DamageSearch(probe, start, error);
  const next = await search.run();
  return { gaps: search.gaps(next), next };
}

/** One damaged record and what follows it up to the next that is believed. */
class DamageSearch {
  private readonly evidence = new Evidence();
  private readonly doubts: { start: number; end: number; records: number; why: DoubtfulRange['why'] }[] = [];
  /** Up to where length lines have been gathered. */
  private gathered: number;

  constructor(
    private readonly probe: LogProbe,
    private readonly start: number,
    private readonly error: FormatError,
  ) {
    this.gathered = start;
  }

  async run(): Promise<BelievedChain | null> {
    let from = this.start + 1;
    for (;;) {
      const head = await this.nextHead(from);
      if (head < 0) return null;
      const repeated = this.doubts.length === 0 ? await findRepeat(this.probe, this.start, head) : -1;
      if (repeated > 0) {
        const { commands, end } = await followChain(this.probe, head, [], repeated);
        if (end === repeated) {
          this.doubt({ start: head, end, records: commands, why: 'repeated' });
          from = this.gathered = end;
          continue;
        }
      }
      const verdict = await this.evidence.judge(this.probe, head);
      const chain = await this.follow(head, verdict);
      if (chain.records === 0) {
        from = head + 1;
        continue;
      }
      const believedFrom = await this.weigh(chain, verdict);
      if (believedFrom > head) {
        const records = believedFrom === chain.met ? chain.metCommands : chain.commands;
        this.doubt({ start: head, end: believedFrom, records, why: 'inside-value' });
      }
      if (believedFrom < chain.end) {
        const next = await this.upToWhatIsSure({ ...chain, start: believedFrom });
        if (next.end > next.start) return next;
        from = believedFrom + 1;
        continue;
      }
      from = Math.max(chain.end, head + 1);
      this.gathered = from;
    }
  }

  private async follow(head: number, { ends, possible }: Verdict): Promise<RecordChain> {
    const chain = await followChain(this.probe, head, ascending(ends));
    if (chain.met >= 0 || possible.length === 0) return chain;
    const watched = ascending(possible);
    const { met, metCommands } = await followChain(this.probe, head, watched, watched.at(-1));
    return { ...chain, met, metCommands };
  }

  /** The offset from which the chain is believed; its end when it is not. */
  private async weigh(chain: RecordChain, verdict: Verdict): Promise<number> {
    const { end, error, commands } = chain;
    const { outside, overhang, furthest } = verdict;
    if (furthest >= end || (await this.endsAsValue(chain))) return end;
    if (overhang >= 0 && !outside && (error !== null || chain.start < overhang + 2)) return end;
    if (error !== null && !chain.lastLoose && !(outside && commands >= SHORT_CHAIN)) {
      if (await isArgument(this.probe, end)) return end;
    }
    if (error !== null && !outside && commands < SHORT_CHAIN && !(await this.seemsToGoOn(end))) return end;
    return Math.max(chain.start, chain.met);
  }

  /** True when CR LF and what can follow an argument stand where the next record should start. */
  private async endsAsValue({ end, error }: RecordChain): Promise<boolean> {
    if (error === null) return false;
    const here = await this.probe.load(end, 3);
    const { bytes, position } = this.probe.window;
    if (here < 2 || bytes[position] !== CR || bytes[position + 1] !== LF) return false;
    const next = bytes[position + 2];
    return here === 2 || next === STAR || next === DOLLAR || next === HASH;
  }

  private async seemsToGoOn(offset: number): Promise<boolean> {
    const here = await this.probe.load(offset, 2);
    const { bytes, position } = this.probe.window;
    const first = bytes[position]!;
    const second = bytes[position + 1]!;
    if (here === 0 || first === HASH) return true;
    return first === STAR && (here === 1 || (second >= 48 && second <= 57));
  }

  /** Leaves out a last record whose arguments seem to go on behind it: one that lost some of its number of them. */
  private async upToWhatIsSure(chain: RecordChain): Promise<BelievedChain> {
    const { start, end, lastStart, lastLoose, error } = chain;
    if (error === null || !(await isBrokenOff(this.probe, lastStart, end, lastLoose)))
      return { start, end, error };
    await this.probe.load(end, 1);
    const { bytes, position } = this.probe.window;
    return { start, end: lastStart, error: badPrefix(bytes, position, '*', end) };
  }

  /** The offset of the next record head at or behind `from`, -1 without any; gathers the length lines before it. */
  private async nextHead(from: number): Promise<number> {
    const { probe } = this;
    const { window } = probe;
    for (let at = from; ; ) {
      const first = Math.max(this.start, Math.min(at, this.gathered) - LOOK_BACK);
      const here = await probe.load(first, probe.most);
      const { bytes, position, base } = window;
      const stop = position + here;
      const isLast = here < probe.most;
      const until = isLast ? stop : stop - HEAD_BYTES;
      const found = findHead(bytes, at - base, until, stop, window.limit - base);
      const to = found < 0 ? until : found;
      this.evidence.gather(bytes, this.start - base, this.gathered - base, to, base);
      this.gathered = base + to;
      if (found >= 0) return base + found;
      if (isLast) return -1;
      at = base + until;
    }
  }

  private doubt(range: DoubtfulRange): void {
    const last = this.doubts.at(-1);
    if (last === undefined || this.doubts.length < DOUBTS_MAX) this.doubts.push({ ...range });
    else {
      last.end = range.end;
      last.records += range.records;
    }
  }

  gaps(next: BelievedChain | null): Gap[] {
    const { start, error } = this;
    const end = next === null ? this.gathered : next.start;
    const isOverrun = error.code === 'aof/torn-tail' && next !== null;
    const code = isOverrun ? 'aof/bad-bulk-length' : (error.code as FindingCode);
    const same = { code, offset: error.offset, detail: error.detail, trail: error.trail };
    const gaps: Gap[] = [];
    let at = start;
    for (const range of this.doubts) {
      if (range.start > at) gaps.push({ kind: 'damage', range: { start: at, end: range.start, ...same } });
      gaps.push({ kind: 'doubtful', range });
      at = range.end;
    }
    if (end > at) gaps.push({ kind: 'damage', range: { start: at, end, ...same } });
    return gaps;
  }
}

const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

const DOUBTS_MAX = 4096;

/** The position of the first record head in `[from, until)`, -1 without any. `limit`: where the input ends. */
function findHead(bytes: Buffer, from: number, until: number, end: number, limit: number): number {
  let hash = bytes.indexOf(HASH, from);
  for (let i = bytes.indexOf(STAR, from); i >= 0 && i < until; i = bytes.indexOf(STAR, i + 1)) {
    for (; hash >= 0 && hash < i; hash = bytes.indexOf(HASH, hash + 1)) {
      if (isRecordHead(bytes, hash, end, limit - hash)) return hash;
    }
    if (isRecordHead(bytes, i, end, limit - i)) return i;
  }
  return -1;
}
