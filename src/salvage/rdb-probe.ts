import type { TypeCodec } from '../rdb/codec.js';
import { LENGTH_SPECIAL, NODE_PACKED, NODE_PLAIN, OPCODE_EOF, STRING_LZF } from '../rdb/constants.js';
import { wordAt } from '../rdb/cursor.js';
import type { Dialect } from '../rdb/dialect.js';
import * as part from '../rdb/skim.js';
import { attributeEnd, lengthAt, lengthRead, mayEnd, NAME_MAX, opcodeEnd, stringEnd } from './rdb-head.js';

/** What a quick walk says of a chain: it cannot be one, it may be, or so many records follow each other that it is worth a look. */
export const REFUSED = 0;
export const UNSURE = 1;
export const WHOLE = 2;
export type ProbeVerdict = typeof REFUSED | typeof UNSURE | typeof WHOLE;

/** Records in a row that are enough: fewer are believed only where the input ends. */
const RECORDS = 8;
/** From so many records on, one that the end of the input cuts off may be the last of a chain. */
const RECORDS_BEFORE_CUT = 2;
/** Bytes that the head of any part fits into. */
const HEAD_BYTES = 32;
const DEPTH_MAX = 4;

const BAD = -1;
const BEYOND = -2;

/** Head and end mark of a listpack, and of a ziplist; width and count of an intset. */
const LISTPACK_BYTES_MIN = 7;
const ZIPLIST_BYTES_MIN = 11;
const INTSET_BYTES_MIN = 10;

/**
 * Walks along records by their layout alone, without throwing and without making anything: refuses nearly all that the
 * strict reader would, at a hundredth of its cost, and nothing that it would not.
 */
export class ChainProbe {
  /** Steps that the last walk took, each a string or a number. */
  steps = 0;
  private bytes!: Buffer;
  /** Positions: where memory ends, the last at which a head is surely in memory, and where the input ends. */
  private end = 0;
  private safe = 0;
  private limit = 0;
  private stepsMax = 0;
  private counted = 0;
  private readonly loopStart = new Int32Array(DEPTH_MAX);
  private readonly loopLeft = new Float64Array(DEPTH_MAX);
  /** Where the names so far stand, their length bytes included. */
  private readonly nameStart = new Int32Array(RECORDS);
  private readonly nameEnd = new Int32Array(RECORDS);
  private names = 0;

  /** Looks at the records from a position on, `stepsMax` of their parts at most. */
  follow(
    bytes: Buffer,
    start: number,
    end: number,
    limit: number,
    dialect: Dialect,
    stepsMax: number,
  ): ProbeVerdict {
    this.bytes = bytes;
    this.end = end;
    this.safe = end - HEAD_BYTES;
    this.limit = limit;
    this.stepsMax = stepsMax;
    this.steps = this.names = 0;
    let empties = 0;
    let at = start;
    for (let records = 0; records < RECORDS; records++) {
      // What is cut off by the end of the input fits a chain of some records, and no shorter one.
      if (records === RECORDS_BEFORE_CUT) this.limit = Number.POSITIVE_INFINITY;
      for (;;) {
        if (at > this.safe) return UNSURE;
        const next = attributeEnd(bytes, at, end, dialect);
        if (next === at) break;
        if (next < 0) return REFUSED;
        at = next;
      }
      const codec = dialect.typeOf[bytes[at]!];
      if (codec === undefined) {
        if (bytes[at] === OPCODE_EOF) return mayEnd(bytes, at, end, limit) ? UNSURE : REFUSED;
        at = opcodeEnd(bytes, at, end, this.limit, dialect);
        if (at < 0) return REFUSED;
        if (at === 0) return UNSURE;
        continue;
      }
      const valueAt = stringEnd(bytes, at + 1, end, this.limit);
      const nameBytes = lengthRead();
      if (valueAt < 0 || nameBytes > NAME_MAX) return REFUSED;
      if (nameBytes === 0 && (records === 0 || ++empties > 1)) return REFUSED;
      if (valueAt > this.safe) return UNSURE;
      if (!this.isNew(at + 1, valueAt)) return REFUSED;
      at = this.valueEnd(codec, valueAt);
      if (at === BAD) return REFUSED;
      if (at === BEYOND) return UNSURE;
    }
    return WHOLE;
  }

  /** Whether a name is none of those before it: names that repeat are believed in no chain. */
  private isNew(start: number, end: number): boolean {
    const { bytes, names, nameStart, nameEnd } = this;
    this.steps++;
    for (let i = 0; i < names; i++) {
      let other = nameStart[i]!;
      if (nameEnd[i]! - other !== end - start) continue;
      let at = start;
      while (at < end && bytes[at] === bytes[other]) {
        at++;
        other++;
      }
      if (at === end) return false;
    }
    nameStart[names] = start;
    nameEnd[names] = end;
    this.names++;
    return true;
  }

  /** The position after a value; BAD when it is none, BEYOND when its end is not in memory or too far. */
  private valueEnd(codec: TypeCodec, valueAt: number): number {
    const { layout } = codec;
    if (layout.length === 1 && layout[0] === part.STRING) return this.textEnd(codec, valueAt);
    const { bytes, safe, loopStart, loopLeft } = this;
    const plain = codec.encoding !== 'quicklist';
    let at = valueAt;
    let depth = 0;
    this.counted = -1;
    for (let i = 0; i < layout.length; ) {
      const next = layout[i]!;
      if (next === part.END_LOOP) {
        if (--loopLeft[depth - 1]! > 0) i = loopStart[depth - 1]!;
        else {
          depth--;
          i++;
        }
        continue;
      }
      if (at > safe || ++this.steps > this.stepsMax) return BEYOND;
      if (next === part.STRING && plain && bytes[at]! < 0x40) {
        at += 1 + bytes[at]!;
        i++;
        continue;
      }
      if (next === part.REPEAT || next === part.LOOP) {
        if (next === part.LOOP) at = this.count(at);
        // Every item takes a byte at least.
        if (at < 0 || this.counted > this.limit - at) return BAD;
        if (this.counted === 0) {
          if (i === 0 && codec.neverEmpty && codec.kind !== 'stream') return BAD;
          i = loopEnd(layout, i);
        } else {
          loopStart[depth] = ++i;
          loopLeft[depth++] = this.counted;
        }
        continue;
      }
      at = this.partEnd(codec, next, at);
      if (at < 0) return at;
      if (next !== part.MODULE_FIELDS || this.counted === 0) i++;
    }
    return at > this.limit ? BAD : at;
  }

  /** The position after one part that is no loop. */
  private partEnd(codec: TypeCodec, next: part.LayoutPart, at: number): number {
    const { bytes, end, limit } = this;
    switch (next) {
      case part.STRING: {
        const stop = stringEnd(bytes, at, end, limit);
        return stop < 0 || !this.holdsNode(codec, at) ? BAD : stop;
      }
      case part.LENGTH: {
        const stop = lengthAt(bytes, at, end);
        this.counted = lengthRead();
        return stop <= 0 ? BAD : stop;
      }
      case part.BYTES_8:
        return at + 8;
      case part.BYTES_16:
        return at + 16;
      case part.TEXT_DOUBLE:
        return bytes[at]! < 253 ? at + 1 + bytes[at]! : at + 1;
      case part.COUNT:
        return this.count(at);
      case part.OPTIONAL_LENGTH: {
        const stop = lengthAt(bytes, at, end);
        if (stop <= 0) return BAD;
        return lengthRead() === 0 ? stop : lengthAt(bytes, stop, end) || BEYOND;
      }
      case part.MODULE_FIELDS:
        return this.moduleField(at);
      default:
        // What is rare is looked at by the strict reader alone.
        return BEYOND;
    }
  }

  private count(at: number): number {
    const stop = lengthAt(this.bytes, at, this.end);
    this.counted = lengthRead();
    return stop <= 0 ? BAD : stop;
  }

  /** One tagged field; `counted` is 0 after the last. */
  private moduleField(at: number): number {
    const { bytes, end, limit } = this;
    const stop = lengthAt(bytes, at, end);
    this.counted = lengthRead();
    if (stop <= 0) return BAD;
    switch (this.counted) {
      case 0:
        return stop;
      case 1:
      case 2:
        return lengthAt(bytes, stop, end) || BEYOND;
      case 3:
        return stop + 4;
      case 4:
        return stop + 8;
      case 5:
        return stringEnd(bytes, stop, end, limit);
      default:
        return BAD;
    }
  }

  /** The position after a value that is one string. */
  private textEnd({ encoding }: TypeCodec, at: number): number {
    this.steps++;
    const stop = stringEnd(this.bytes, at, this.end, this.limit);
    if (stop < 0) return BAD;
    if (encoding === 'listpack' || encoding === 'ziplist' || encoding === 'intset') {
      if (!this.isPacked(at, encoding)) return BAD;
    }
    return stop > this.safe ? BEYOND : stop;
  }

  /** Whether the string at a position may be a node of a list of nodes, for one that is none of those it is. */
  private holdsNode({ kind, encoding, layout }: TypeCodec, at: number): boolean {
    if (encoding !== 'quicklist' || kind !== 'list') return true;
    if (layout[1] === part.STRING) return this.isPacked(at, 'ziplist');
    // The container stands right before.
    if (this.counted === NODE_PACKED) return this.isPacked(at, 'listpack');
    return this.counted === NODE_PLAIN;
  }

  /** Whether a string may hold a packed structure: its first bytes say how long it is. */
  private isPacked(at: number, encoding: string): boolean {
    const { bytes, end, safe } = this;
    const first = bytes[at]!;
    let start: number;
    let size: number;
    if (first < LENGTH_SPECIAL) {
      start = lengthAt(bytes, at, end);
      size = lengthRead();
    } else {
      if (first !== STRING_LZF) return false;
      start = lengthAt(bytes, lengthAt(bytes, at + 1, end), end) + 1;
      size = lengthRead();
      // The head may be in more than one piece.
      if (start > safe || bytes[start - 1]! < 3) return true;
    }
    if (start > safe) return true;
    const word = wordAt(bytes, start);
    if (encoding === 'intset') return size >= INTSET_BYTES_MIN && (word === 2 || word === 4 || word === 8);
    return size >= (encoding === 'listpack' ? LISTPACK_BYTES_MIN : ZIPLIST_BYTES_MIN) && word === size;
  }
}

/** Index of the part after the loop that begins at `i`. */
function loopEnd(layout: part.Layout, i: number): number {
  let at = i + 1;
  for (let open = 1; open > 0; at++) {
    const next = layout[at]!;
    if (next === part.LOOP || next === part.REPEAT) open++;
    else if (next === part.END_LOOP) open--;
  }
  return at;
}
