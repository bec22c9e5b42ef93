import { type ByteSource, readHead } from '../../bytes/source.js';
import { ARRAY_DOUBLE, ARRAY_INTEGER } from '../../rdb/array-value.js';
import * as n from '../../rdb/constants.js';
import type { Dialect } from '../../rdb/dialect.js';
import {
  BYTES_8,
  BYTES_16,
  COUNT,
  END_LOOP,
  type LayoutPart,
  LENGTH,
  LOOP,
  OPTIONAL_LENGTH,
  REPEAT,
  STRING,
  TAGGED,
  TEMPLATE,
  TEXT_DOUBLE,
} from '../../rdb/skim.js';

/** What redis-check-rdb says it was doing. */
export type Doing =
  | 'start'
  | 'read-type'
  | 'read-expire'
  | 'read-key'
  | 'read-object-value'
  | 'check-sum'
  | 'read-len'
  | 'read-aux'
  | 'read-module-aux'
  | 'read-functions';

/** Where a reader that takes one number or string at a time stands in a record that cannot be read. */
export interface Standing {
  readonly doing: Doing;
  /** Offset of the first number or string that goes beyond the end of the file, -1 when none does. */
  readonly offset: number;
  /** The type number, when the record is that of a key. */
  readonly type: number;
  /** The key, one character per byte, when all of it is there. */
  readonly key: string | null;
}

/** Parts that only opcodes have. */
const BYTE = 'byte';
const BYTES_4 = 'bytes-4';

type Part = LayoutPart | typeof BYTE | typeof BYTES_4;

/** What redis-check-rdb says at each opcode, and the parts it reads there one by one. */
const OPCODES: Readonly<Record<number, readonly [Doing, readonly Part[]]>> = {
  [n.OPCODE_EXPIRETIME]: ['read-expire', [BYTES_4]],
  [n.OPCODE_EXPIRETIME_MS]: ['read-expire', [BYTES_8]],
  [n.OPCODE_FREQ]: ['read-type', [BYTE]],
  [n.OPCODE_IDLE]: ['read-type', [LENGTH]],
  [n.OPCODE_SLOT_INFO]: ['read-type', [LENGTH, LENGTH, LENGTH]],
  [n.OPCODE_SELECTDB]: ['read-len', [LENGTH]],
  [n.OPCODE_RESIZEDB]: ['read-len', [LENGTH, LENGTH]],
  [n.OPCODE_AUX]: ['read-aux', [STRING, STRING]],
  [n.OPCODE_FUNCTION2]: ['read-functions', [STRING]],
};

/** Parts that are one number. */
const LENGTHS: ReadonlySet<Part> = new Set<Part>([LENGTH, LOOP, COUNT, TEMPLATE]);

/** The longest key that is read to be named. */
const KEY_SHOWN_MAX = 4096;

/** What `layout` answers when all parts are there, and when one is none at all. */
const COMPLETE = -1;
const UNREADABLE = -2;

/** Thrown by the walk where it can't go on: the offset at which the file ends too early, or UNREADABLE. */
class Halt extends Error {
  constructor(readonly offset: number) {
    super('the walk ends here');
  }
}

/** Walks the parts of one record: the servers read each for itself and say how far they came. */
export class ShortfallWalk {
  constructor(
    private readonly source: ByteSource,
    private readonly size: number,
  ) {}

  /** The record that starts at an offset. */
  async record(offset: number, dialect: Dialect): Promise<Standing> {
    if (offset >= this.size) return { doing: 'read-type', offset, type: -1, key: null };
    const [opcode] = await this.bytes(offset, 1);
    const codec = dialect.typeOf[opcode!];
    const at = offset + 1;
    if (codec === undefined) {
      const [doing, layout] = OPCODES[opcode!] ?? (['read-type', []] as const);
      return { doing, offset: await this.layout(at, layout, false), type: -1, key: null };
    }
    const short = await this.layout(at, [STRING], false);
    if (short !== COMPLETE) return { doing: 'read-key', offset: short, type: opcode!, key: null };
    const valueAt = await this.string(at);
    const key = await this.plainText(at, valueAt);
    const inValue = await this.layout(valueAt, codec.layout, false);
    return { doing: 'read-object-value', offset: inValue, type: opcode!, key };
  }

  /**
   * The offset of the first part from `offset` on that goes beyond the end; negative when none does. With `inside` the
   * offset is that of an item in the value's loop.
   */
  async layout(offset: number, layout: readonly Part[], inside: boolean): Promise<number> {
    const start = inside ? layout.findIndex((part) => part === LOOP || part === REPEAT) + 1 : 0;
    let at = offset;
    try {
      for (const part of layout.slice(start)) {
        if (LENGTHS.has(part)) at = await this.plainLength(at);
        else if (part === STRING) at = await this.string(at);
        else if (part === OPTIONAL_LENGTH) at = await this.optional(at);
        else if (part === TAGGED) at = await this.tagged(at);
        else if (part === BYTES_8 || part === BYTES_16) at = this.fixed(at, part === BYTES_8 ? 8 : 16);
        else if (part === TEXT_DOUBLE) at = await this.textDouble(at);
        else if (part === END_LOOP) break;
        else if (part === BYTES_4) at = this.fixed(at, 4);
        else if (part === BYTE) at = this.fixed(at, 1);
      }
      return COMPLETE;
    } catch (error) {
      if (error instanceof Halt) return error.offset;
      throw error;
    }
  }

  private async plainText(start: number, end: number): Promise<string | null> {
    const { value, end: textAt, special } = await this.length(start);
    const bytes = end - textAt;
    if (special >= n.STRING_INT8 && special <= n.STRING_INT32) {
      return String((await this.bytes(textAt, bytes)).readIntLE(0, bytes));
    }
    if (textAt + value !== end || value > KEY_SHOWN_MAX) return null;
    return (await this.bytes(textAt, value)).latin1Slice();
  }

  private async bytes(at: number, count: number): Promise<Buffer> {
    if (at + count > this.size) throw new Halt(at);
    const rest: ByteSource = {
      label: this.source.label,
      size: count,
      open: () => this.source.open(at),
    };
    return readHead(rest, count);
  }

  private fixed(at: number, count: number): number {
    if (at + count > this.size) throw new Halt(at);
    return at + count;
  }

  /** `special`: the string encoding that stands in place of a length, -1 for a length. */
  private async length(at: number): Promise<{ value: number; end: number; special: number }> {
    const first = (await this.bytes(at, 1))[0]!;
    if (first < 0x40) return { value: first, end: at + 1, special: -1 };
    if (first < 0x80) {
      return { value: ((first & 0x3f) << 8) | (await this.bytes(at + 1, 1))[0]!, end: at + 2, special: -1 };
    }
    if (first === n.LENGTH_32) {
      return { value: (await this.bytes(at + 1, 4)).readUInt32BE(0), end: at + 5, special: -1 };
    }
    if (first === n.LENGTH_64) {
      return { value: Number((await this.bytes(at + 1, 8)).readBigUInt64BE(0)), end: at + 9, special: -1 };
    }
    return { value: 0, end: at + 1, special: first };
  }

  private async string(at: number): Promise<number> {
    const { value, end, special } = await this.length(at);
    switch (special) {
      case -1:
        return this.fixed(end, value);
      case n.STRING_INT8:
        return this.fixed(end, 1);
      case n.STRING_INT16:
        return this.fixed(end, 2);
      case n.STRING_INT32:
        return this.fixed(end, 4);
      case n.STRING_LZF: {
        const compressed = await this.length(end);
        return this.fixed(await this.plainLength(compressed.end), compressed.value);
      }
      default:
        throw new Halt(UNREADABLE);
    }
  }

  private async plainLength(at: number): Promise<number> {
    const { end, special } = await this.length(at);
    if (special >= 0) throw new Halt(UNREADABLE);
    return end;
  }

  private async optional(at: number): Promise<number> {
    const { value, end } = await this.length(at);
    return value === 0 ? end : this.plainLength(end);
  }

  private async tagged(at: number): Promise<number> {
    const end = await this.plainLength(at);
    const { value: tag } = await this.length(at);
    return tag === ARRAY_INTEGER || tag === ARRAY_DOUBLE ? this.fixed(end, 8) : this.string(end);
  }

  private async textDouble(at: number): Promise<number> {
    const length = (await this.bytes(at, 1))[0]!;
    return this.fixed(at + 1, length < 253 ? length : 0);
  }
}
