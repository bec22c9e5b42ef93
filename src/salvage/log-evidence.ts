import { CR, DOLLAR, HASH, LF, STAR } from '../resp/grammar.js';
import {
  ARGUMENT_MAX,
  HEAD_BYTES,
  type LengthLine,
  lengthLineAt,
  mayHaveLostArguments,
  wholeLengthLine,
} from './log-heads.js';
import type { LogProbe } from './log-probe.js';

/** Length lines of one damaged range that are remembered; of more, the last ones. */
const LINES_MAX = 4096;
/** Those whose arguments are looked for: each may mean to read at another place. */
const LOOKED_AT = 256;
const LINE_BYTES = 32;

/** What the damaged bytes before a chain of whole records say about the place where it starts. */
export interface Verdict {
  /** An argument, as its length stands or stood before one digit of it changed, ends right before the chain. */
  readonly outside: boolean;
  /** Where arguments end that reach into the chain: records up to there may be their content. */
  readonly ends: readonly number[];
  /** Where they end if one byte of their length line has changed. */
  readonly possible: readonly number[];
  /** The furthest end of an argument: a chain that breaks off before it may be its content. */
  readonly furthest: number;
  /** Start of the last argument that would reach beyond the end of the input; -1: none. */
  readonly overhang: number;
}

/** Gathers the length lines of a damaged range, front to back. */
export class Evidence {
  private lines: LengthLine[] = [];

  /**
   * Looks at `bytes[from..to)` for the ends of length lines; the lines may have begun before, but not before `start`.
   * `base` is the offset of `bytes[0]`.
   */
  gather(bytes: Buffer, start: number, from: number, to: number, base: number): void {
    const low = Math.max(0, start);
    for (let i = bytes.indexOf(LF, from); i >= 0 && i < to; i = bytes.indexOf(LF, i + 1)) {
      this.add(lengthLineAt(bytes, i, low, base));
    }
    // A line feed that changed leaves its CR behind.
    const first = Math.max(low, from - 1);
    for (let i = bytes.indexOf(CR, first); i >= 0 && i + 1 < to; i = bytes.indexOf(CR, i + 1)) {
      if (bytes[i + 1] !== LF) this.add(lengthLineAt(bytes, i + 1, low, base));
    }
  }

  async judge(probe: LogProbe, start: number): Promise<Verdict> {
    let outside = false;
    let overhang = -1;
    let framedEnd = -1;
    let looseEnd = -1;
    const ends: number[] = [];
    const possible: number[] = [];
    const framed = new Set<number>();
    for (const { body, length, alternatives } of this.lines.slice(-LOOKED_AT)) {
      // What looks like a length line may be the text of an argument that is whole.
      const isText = framed.has(body - 2);
      const stop = body + length;
      if (length <= ARGUMENT_MAX) {
        const end = await argumentEnd(probe, stop);
        if (end === NO_END) {
          if (stop + 2 > probe.window.limit) overhang = body;
          else looseEnd = Math.max(looseEnd, stop);
        } else {
          framed.add(stop);
          if (stop + 2 === start) outside = true;
          else if (stop + 2 > start) framedEnd = Math.max(framedEnd, stop);
          if (stop + 2 > start && end === FOLLOWED) ends.push(stop + 2);
          if (body !== start) continue;
        }
      }
      if (isText) continue;
      const others = alternatives.map((other) => body + other + 2);
      if (others.includes(start)) outside = true;
      else if (body === start || Number.isNaN(length)) possible.push(...others.filter((end) => end > start));
    }
    if (outside) return { outside, ends, possible: [], furthest: framedEnd, overhang };
    for (const end of possible) {
      if ((await argumentEnd(probe, end - 2)) === FOLLOWED) looseEnd = Math.max(looseEnd, end - 2);
    }
    return { outside, ends, possible, furthest: Math.max(framedEnd, looseEnd), overhang };
  }

  private add(line: LengthLine | null): void {
    if (line === null) return;
    this.lines.push(line);
    if (this.lines.length > 2 * LINES_MAX) this.lines = this.lines.slice(-LINES_MAX);
  }
}

const NO_END = 0;
const UNFOLLOWED = 1;
const FOLLOWED = 2;

/** Whether the line end behind an argument stands at `stop`, and then what may follow one. */
async function argumentEnd(
  probe: LogProbe,
  stop: number,
): Promise<typeof NO_END | typeof UNFOLLOWED | typeof FOLLOWED> {
  if (stop + 2 > probe.window.limit) return NO_END;
  const here = await probe.load(stop, 3);
  const { bytes, position } = probe.window;
  if (here < 2 || bytes[position] !== CR || bytes[position + 1] !== LF) return NO_END;
  return here === 2 || isBegin(bytes[position + 2]!) ? FOLLOWED : UNFOLLOWED;
}

/** True when a whole argument stands at `offset`, its length line first. */
export async function isArgument(probe: LogProbe, offset: number): Promise<boolean> {
  const here = await probe.load(offset, LINE_BYTES);
  const { bytes, position, base } = probe.window;
  const line = wholeLengthLine(bytes, position, position + here);
  return line !== null && (await argumentEnd(probe, base + line.body + line.length)) === FOLLOWED;
}

/**
 * True when the whole record at `start`, behind which no other starts, is not to be believed: it seems to go on behind
 * its `end`, as its number of arguments was larger, or its framing is `loose`, which no server writes.
 */
export async function isBrokenOff(
  probe: LogProbe,
  start: number,
  end: number,
  loose: boolean,
): Promise<boolean> {
  if (loose) return true;
  const here = await probe.load(start, HEAD_BYTES);
  const { bytes, position } = probe.window;
  const may = bytes[position] !== STAR || mayHaveLostArguments(bytes, position, position + here);
  return may && (await isArgument(probe, end));
}

const isBegin = (c: number): boolean => c === STAR || c === DOLLAR || c === HASH;
