import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { ByteWindow, END, type Machine, NEED, PAUSE } from '../../src/bytes/window.js';
import { FormatError } from '../../src/errors.js';
import { THOROUGH } from './effort.js';
import { Random } from './random.js';

/** A machine that has not run yet, and what became of it once it has. */
export interface Subject<T> {
  readonly machine: Machine;
  outcome(): T;
}

/** Makes a subject; with `pausing` its handler says it is full after every item. */
export type MakeSubject<T> = (pausing: boolean) => Subject<T>;

export interface Chopped<T> {
  readonly outcome: T;
  /** The error that ended it, null when it ended well. */
  readonly error: FormatError | null;
  /** Bytes of the input that follow the end of the format. */
  readonly rest: number;
}

/** Inputs up to this are split at every byte. */
const WHOLE_SPLITS_MAX = THOROUGH ? 4096 : 600;
const SEEDED_SPLITS = 200;

/**
 * Runs a machine over the same bytes in five ways: whole, byte by byte, in two parts, pausing after every item, and with
 * no more bytes at a time than it asks for. All must come to the same end, which is returned.
 */
export function inEveryWay<T>(bytes: Buffer, make: MakeSubject<T>): Chopped<T> {
  const whole = inParts(bytes, make(false), [bytes.length]);
  const expected = summary(whole);
  const same = (way: string, other: Chopped<T>) => {
    const actual = summary(other);
    // Thousands of splits: the walk that words a difference is made only for one.
    if (!isDeepStrictEqual(actual, expected)) expect(actual, way).toEqual(expected);
  };
  const everyByte = Array.from(bytes, (_, i) => i + 1);
  same('byte by byte', inParts(bytes, make(false), everyByte));
  for (const split of splits(bytes.length)) {
    same(`split at ${split}`, inParts(bytes, make(false), [split, bytes.length]));
  }
  same('pausing', inParts(bytes, make(true), [bytes.length]));
  same('smallest window', inSmallestWindow(bytes, make(false)));
  return whole;
}

function summary<T>(chopped: Chopped<T>) {
  const { error } = chopped;
  return { ...chopped, error: error && { code: error.code, offset: error.offset, trail: error.trail } };
}

function splits(length: number): number[] {
  if (length <= WHOLE_SPLITS_MAX) return Array.from({ length: Math.max(0, length - 1) }, (_, i) => i + 1);
  const random = new Random(length);
  return Array.from({ length: SEEDED_SPLITS }, () => random.between(1, length - 1));
}

/** Runs a subject over an input that comes in parts; `ends` are the offsets at which they end. */
export function inParts<T>(bytes: Buffer, subject: Subject<T>, ends: readonly number[]): Chopped<T> {
  const run = new Run(bytes, subject);
  for (const end of ends) {
    run.give(end);
    if (run.over) break;
  }
  return run.finish();
}

function inSmallestWindow<T>(bytes: Buffer, subject: Subject<T>): Chopped<T> {
  const run = new Run(bytes, subject);
  while (!run.over && run.wanted <= bytes.length) run.give(run.wanted);
  if (!run.over) run.give(bytes.length);
  return run.finish();
}

class Run<T> {
  over = false;
  private error: FormatError | null = null;
  private readonly window = new ByteWindow();

  constructor(
    private readonly bytes: Buffer,
    private readonly subject: Subject<T>,
  ) {
    this.window.limit = bytes.length;
  }

  /** The offset up to which the machine wants bytes. */
  get wanted(): number {
    return this.window.offset + this.window.need;
  }

  /** Brings the bytes up to `end` into a window of its own memory, and runs. */
  give(end: number): void {
    const { window } = this;
    const offset = window.offset;
    window.bytes.fill(0xee);
    window.bytes = Buffer.from(this.bytes.subarray(offset, end));
    window.position = 0;
    window.end = end - offset;
    window.base = offset;
    this.guarded(() => {
      let last = -1;
      for (;;) {
        const progress = this.subject.machine.run(window);
        if (progress === END) {
          this.over = true;
          return;
        }
        if (progress === NEED) {
          const held = window.end - window.position;
          if (!(window.need > held)) expect(window.need, 'wants more than there is').toBeGreaterThan(held);
          return;
        }
        if (progress !== PAUSE) expect(progress).toBe(PAUSE);
        // Leaving a loop that had nothing left is the only item without bytes, so standing still twice is a hang.
        const { position } = window;
        if (!(position > last)) expect(position, 'moved since the last pause').toBeGreaterThan(last);
        last = window.position;
      }
    });
  }

  finish(): Chopped<T> {
    if (!this.over) {
      this.guarded(() => this.subject.machine.finish(this.window));
    }
    return {
      outcome: this.subject.outcome(),
      error: this.error,
      rest: this.bytes.length - this.window.offset,
    };
  }

  private guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.error = error;
      this.over = true;
    }
  }
}
