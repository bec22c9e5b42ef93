import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { pump } from '../../src/bytes/pump.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import type { ByteReader } from '../../src/bytes/source.js';
import { ByteWindow, type Machine, NEED } from '../../src/bytes/window.js';
import { FormatError } from '../../src/errors.js';
import type { CommandSpans } from '../../src/resp/command.js';
import type { RespHandler } from '../../src/resp/handler.js';

/** Records what a scanner tells, as text. With `pauses` it is full after every item until drained. */
export class RespRecorder implements RespHandler {
  readonly events: string[] = [];
  full = false;
  stopped = false;

  constructor(private readonly pauses = false) {}

  command(command: CommandSpans): void {
    const args = Array.from({ length: command.held }, (_, i) => JSON.stringify(command.latin1(i)));
    const more = command.held < command.argc ? ` of ${command.argc}` : '';
    this.add(`${command.offset}+${command.length} ${args.join(' ')}${more}`);
  }

  annotation(line: ByteSlice, offset: number, seconds: number): void {
    this.add(`${offset}+${line.length} ${JSON.stringify(line.latin1())} ${seconds}`);
  }

  flaw(code: string, offset: number): void {
    this.events.push(`${offset} ${code}`);
  }

  drain(): Promise<void> {
    this.full = false;
    return Promise.resolve();
  }

  private add(event: string): void {
    this.events.push(event);
    this.full = this.pauses;
  }
}

/** What came of a run: everything told, then the error, if any, with its offset and detail. */
export interface Outcome {
  readonly events: readonly string[];
  readonly error: string | null;
  /** Where the machine said the last good record ended. */
  readonly lastGood: number;
}

export interface Chopped {
  readonly machine: Machine & { readonly lastGood?: number; readonly safeCut?: number };
  readonly events: readonly string[];
  readonly drain: () => Promise<void>;
}

/**
 * Runs a machine over the bytes whole, byte by byte, split in two at every offset, through the smallest windows, paused
 * after every item, and from a pipe of unknown length; holds every run to the first and returns that.
 */
export async function inEveryWay(bytes: Buffer, make: (pauses: boolean) => Chopped): Promise<Outcome> {
  const whole = await pumped(bytes, [bytes.length], make(false), bytes.length, 1 << 16);
  const ways: [string, Promise<Outcome>][] = [
    ['paused', pumped(bytes, [bytes.length], make(true), bytes.length, 1 << 16)],
    ['byte by byte', pumped(bytes, [1], make(false), bytes.length, 1 << 16)],
    ['smallest window', pumped(bytes, [1], make(true), bytes.length, 1)],
    ['odd chunks', pumped(bytes, [3, 1, 7], make(false), Number.POSITIVE_INFINITY, 5)],
    ['pipe', pumped(bytes, [64], make(true), Number.POSITIVE_INFINITY, 1 << 16)],
  ];
  // Thousands of splits: the walk that words a difference is made only for one.
  const same = (way: string, other: Outcome) => {
    if (!isDeepStrictEqual(other, whole)) expect(other, way).toEqual(whole);
  };
  for (const [way, outcome] of ways) same(way, await outcome);
  for (let k = 0; k <= bytes.length; k++) same(`split at ${k}`, split(bytes, k, make(false)));
  return whole;
}

async function pumped(
  bytes: Buffer,
  sizes: readonly number[],
  chopped: Chopped,
  limit: number,
  chunkBytes: number,
): Promise<Outcome> {
  const window = new ByteWindow();
  window.limit = limit;
  const { machine, drain } = chopped;
  const running = pump(new DribblingReader(bytes, sizes), window, machine, { drain, chunkBytes });
  return outcomeOf(chopped, await running.catch((error) => error));
}

/** Without a pump: the first part, then all. */
function split(bytes: Buffer, at: number, chopped: Chopped): Outcome {
  const window = new ByteWindow();
  const { machine } = chopped;
  let error: unknown;
  try {
    window.limit = bytes.length;
    window.bytes = Buffer.from(bytes.subarray(0, at));
    window.end = at;
    assert.equal(machine.run(window), NEED);
    window.bytes = bytes;
    window.end = bytes.length;
    assert.equal(machine.run(window), NEED);
    machine.finish(window);
  } catch (caught) {
    error = caught;
  }
  return outcomeOf(chopped, error);
}

function outcomeOf({ events, machine }: Chopped, error: unknown): Outcome {
  if (error !== undefined && !(error instanceof FormatError)) throw error;
  const text = error === undefined ? null : `${error.code}@${error.offset} ${JSON.stringify(error.detail)}`;
  return { events, error: text, lastGood: machine.safeCut ?? machine.lastGood ?? -1 };
}

/** Gives the bytes in parts of the sizes named, over and over; never more than is asked for. */
export class DribblingReader implements ByteReader {
  private position = 0;
  private turn = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly sizes: readonly number[],
  ) {}

  async read(into: Uint8Array): Promise<number> {
    const size = Math.min(into.length, this.sizes[this.turn++ % this.sizes.length]!);
    const part = this.bytes.subarray(this.position, this.position + size);
    into.set(part);
    this.position += part.length;
    return part.length;
  }

  async close(): Promise<void> {}
}
