import { GrowingBytes } from '../bytes/growing-bytes.js';
import { ByteWindow, type Machine } from '../bytes/window.js';
import { type ErrorDetail, FormatError } from '../errors.js';
import { OPCODE_SELECTDB } from './constants.js';
import { type Cursor, wordAt } from './cursor.js';
import { insideBlob } from './dragonfly.js';
import { RdbSink } from './handler.js';

/** What is held of values that are not complete yet, all together. */
const HELD_MAX = 512 * 1024 * 1024;
const HEADER = Buffer.from('REDIS0009', 'latin1');
const FIELDS_BYTES = 8;
const DATABASE_BYTES = 6;

/** Reads records, to find out where a value ends. */
export type ChunkReader = Machine & { readonly insideKey: boolean };

/** A key with its value whose chunks have all come. */
export interface GatheredValue {
  /** The record of the key, between two that select its database and the one in force again. */
  readonly bytes: Buffer;
  /** Offset of the first chunk in the file, and of that in `bytes`. */
  readonly offset: number;
  readonly start: number;
}

/**
 * Keys whose records Dragonfly has split into chunks that stand among other records: those of one key have a number in
 * common. No chunk says that it is the last: a record that reads to its end is complete.
 */
export class ChunkedValues {
  private readonly open = new Map<number, OpenValue>();
  private readonly complete: OpenValue[] = [];
  private heldBytes = 0;

  constructor(private readonly reader: (sink: RdbSink) => ChunkReader) {}

  /**
   * Takes the chunk whose fields stand from `at` on; its key goes into `database`.
   * @returns the position after it, or SHORT
   * @throws FormatError when it is none, or the record that its chunks make is none
   */
  read(cursor: Cursor, at: number, database: number): number {
    const start = at + FIELDS_BYTES;
    if (start > cursor.end) return cursor.short(start);
    const number = wordAt(cursor.bytes, at);
    const size = wordAt(cursor.bytes, at + 4);
    const offset = cursor.offsetOf(at - 1);
    if (number === 0 || size === 0) throw bad(offset, { reason: 'zero', number, size });
    if (size > HELD_MAX - this.heldBytes) {
      throw bad(offset, { reason: 'too-large', number, size, held: this.heldBytes, limit: HELD_MAX });
    }
    const end = start + size;
    if (end > cursor.end) return cursor.short(end);
    let value = this.open.get(number);
    if (value === undefined) this.open.set(number, (value = new OpenValue(this.reader, offset, database)));
    this.heldBytes += size;
    if (value.take(cursor.bytes, start, end)) {
      this.open.delete(number);
      this.complete.push(value);
    }
    return end;
  }

  /** The next value that is complete, while `database` is in force; null when there is none. */
  next(database: number): GatheredValue | null {
    const value = this.complete.shift();
    if (value === undefined) return null;
    this.heldBytes -= value.size;
    return value.gathered(database);
  }

  /** @throws FormatError when a value is not complete although no chunk can follow */
  end(): void {
    for (const [number, { offset, size }] of this.open) {
      throw bad(offset, { reason: 'incomplete', number, held: size });
    }
  }
}

class KeyCount extends RdbSink {
  keys = 0;

  override keyEnd(): void {
    this.keys++;
  }
}

class OpenValue {
  private readonly bytes = new GrowingBytes();
  private readonly window = new ByteWindow();
  private readonly count = new KeyCount();
  private readonly machine: ChunkReader;

  constructor(
    reader: (sink: RdbSink) => ChunkReader,
    readonly offset: number,
    private readonly database: number,
  ) {
    this.machine = reader(this.count);
    this.bytes.put(HEADER, 0, HEADER.length);
    const selected = select(database);
    this.bytes.put(selected, 0, selected.length);
    this.window.base = offset - this.start;
  }

  private get start(): number {
    return HEADER.length + DATABASE_BYTES;
  }

  get size(): number {
    return this.bytes.end - this.start;
  }

  /** True when the record is complete now. */
  take(source: Buffer, from: number, to: number): boolean {
    const { bytes, window, machine } = this;
    bytes.put(source, from, to);
    window.bytes = bytes.bytes;
    window.end = bytes.end;
    if (window.end - window.position < window.need) return false;
    try {
      machine.run(window);
    } catch (error) {
      throw error instanceof FormatError ? insideBlob(error, this.offset, 'tagged-chunks') : error;
    }
    return window.position === window.end && this.count.keys > 0 && !machine.insideKey;
  }

  gathered(database: number): GatheredValue {
    const { bytes, offset } = this;
    if (database === this.database) {
      return { bytes: bytes.bytes.subarray(this.start, bytes.end), offset, start: 0 };
    }
    const back = select(database);
    bytes.put(back, 0, back.length);
    return { bytes: bytes.bytes.subarray(HEADER.length, bytes.end), offset, start: DATABASE_BYTES };
  }
}

/** The record that selects a database, its number in the longest form. */
function select(database: number): Buffer {
  const bytes = Buffer.from([OPCODE_SELECTDB, 0x80, 0, 0, 0, 0]);
  bytes.writeUInt32BE(database, 2);
  return bytes;
}

function bad(offset: number, detail: ErrorDetail): FormatError {
  return new FormatError('rdb/bad-chunk', offset, detail);
}
