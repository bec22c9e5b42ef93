import { type Long, unsignedLong } from '../../bytes/int64.js';
import { FormatError } from '../../errors.js';
import type { ModuleFields } from './fields.js';
import { doubleText, JsonText, type Rounding, roundedText } from './json-text.js';
import { brainToNumber, halfToNumber, toBrain, toHalf } from './small-floats.js';

/** Major types of CBOR, the upper three bits of an item's first byte. */
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
/** Arguments of simple values: their number, or the bytes of a float. */
const FALSE = 20;
const TRUE = 21;
const NULL = 22;
const HALF = 25;
const SINGLE = 26;
const DOUBLE = 27;
/** First lower five bits that say that the argument follows, in 1, 2, 4 or 8 bytes. */
const FOLLOWS = 24;
const FOLLOWS_MAX = 27;

/** How the elements of an array of one type are read. */
interface ElementType {
  readonly bytes: number;
  readonly text: (bytes: Buffer, at: number) => string;
}

const HALF_ROUNDING: Rounding = { round: toHalf, wholeBelow: Number.POSITIVE_INFINITY };
const BRAIN_ROUNDING: Rounding = { round: toBrain, wholeBelow: Number.POSITIVE_INFINITY };
const SINGLE_ROUNDING: Rounding = {
  round: Math.fround,
  wholeBelow: 2 ** 24,
  plain: { from: 1e-6, below: 1e13 },
};

const half = (bytes: Buffer, at: number) => roundedText(halfToNumber(bytes.readUInt16LE(at)), HALF_ROUNDING);
const brain = (bytes: Buffer, at: number) =>
  roundedText(brainToNumber(bytes.readUInt16LE(at)), BRAIN_ROUNDING);
const single = (bytes: Buffer, at: number) => roundedText(bytes.readFloatLE(at), SINGLE_ROUNDING);

/** Arrays of one type, by their tag: RFC 8746, little endian, and one of RedisJSON's own for brain floats. */
const ELEMENTS = new Map<Long, ElementType>([
  [64, { bytes: 1, text: (bytes, at) => String(bytes.readUInt8(at)) }],
  [69, { bytes: 2, text: (bytes, at) => String(bytes.readUInt16LE(at)) }],
  [70, { bytes: 4, text: (bytes, at) => String(bytes.readUInt32LE(at)) }],
  [71, { bytes: 8, text: (bytes, at) => String(bytes.readBigUInt64LE(at)) }],
  [72, { bytes: 1, text: (bytes, at) => String(bytes.readInt8(at)) }],
  [77, { bytes: 2, text: (bytes, at) => String(bytes.readInt16LE(at)) }],
  [78, { bytes: 4, text: (bytes, at) => String(bytes.readInt32LE(at)) }],
  [79, { bytes: 8, text: (bytes, at) => String(bytes.readBigInt64LE(at)) }],
  [84, { bytes: 2, text: half }],
  [85, { bytes: 4, text: single }],
  [86, { bytes: 8, text: (bytes, at) => doubleText(bytes.readDoubleLE(at)) }],
  [0x10000, { bytes: 2, text: brain }],
]);

/** The text of a document in CBOR, of which RedisJSON writes a small part: definite lengths and few tags. */
export function cborText(bytes: Buffer, fields: ModuleFields): string {
  const text = new JsonText(fields);
  const items = new CborItems(bytes);
  do items.next(text);
  while (!text.complete);
  items.end();
  return text.text();
}

class CborItems {
  private at = 0;
  private major = 0;
  private minor = 0;
  /** Argument of the item at hand; of a float its bytes are in front of `at`. */
  private argument: Long = 0;

  constructor(private readonly bytes: Buffer) {}

  /** Passes one item on: the name of a member, a scalar, the head of a container. */
  next(text: JsonText): void {
    this.head();
    if (text.wantsName) {
      if (this.major !== TEXT) throw this.bad('name-is-no-text');
      text.name(this.run().toString());
      return;
    }
    switch (this.major) {
      case UNSIGNED:
        text.scalar(String(this.argument));
        break;
      case NEGATIVE:
        text.scalar(String(-1n - BigInt(this.argument)));
        break;
      case TEXT:
        text.string(this.run().toString());
        break;
      case ARRAY:
        text.open(false, this.count(1));
        break;
      case MAP:
        text.open(true, this.count(2));
        break;
      case TAG:
        this.array(text);
        break;
      case BYTES:
        throw this.bad('bytes');
      default:
        text.scalar(this.simple());
        break;
    }
  }

  end(): void {
    if (this.at !== this.bytes.length) throw this.bad('trailing-bytes');
  }

  /** The bytes of a tagged array. */
  private array(text: JsonText): void {
    const type = ELEMENTS.get(this.argument);
    if (type === undefined) throw this.bad('unknown-tag');
    this.head();
    if (this.major !== BYTES) throw this.bad('tag-without-bytes');
    const elements = this.run();
    if (elements.length % type.bytes !== 0) throw this.bad('array-size');
    text.open(false, elements.length / type.bytes);
    for (let at = 0; at < elements.length; at += type.bytes) text.scalar(type.text(elements, at));
  }

  private simple(): string {
    const { bytes, at } = this;
    switch (this.minor) {
      case FALSE:
        return 'false';
      case TRUE:
        return 'true';
      case NULL:
        return 'null';
      case HALF:
        return doubleText(halfToNumber(bytes.readUInt16BE(at - 2)));
      case SINGLE:
        return doubleText(bytes.readFloatBE(at - 4));
      case DOUBLE:
        return doubleText(bytes.readDoubleBE(at - 8));
      default:
        throw this.bad('unknown-simple-value');
    }
  }

  private head(): void {
    const first = this.bytes[this.advance(1)]!;
    this.major = first >> 5;
    this.minor = first & 0x1f;
    if (this.minor < FOLLOWS) {
      this.argument = this.minor;
      return;
    }
    if (this.minor > FOLLOWS_MAX) throw this.bad('indefinite-length');
    const width = 1 << (this.minor - FOLLOWS);
    const at = this.advance(width);
    this.argument =
      width === 8
        ? unsignedLong(this.bytes.readUInt32BE(at), this.bytes.readUInt32BE(at + 4))
        : this.bytes.readUIntBE(at, width);
  }

  /** The bytes of a text or of bytes. */
  private run(): Buffer {
    const length = Number(this.argument);
    const at = this.advance(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A number of things that follow, each of which takes at least `bytesEach` bytes. */
  private count(bytesEach: number): number {
    const count = Number(this.argument);
    if (count * bytesEach > this.bytes.length - this.at) throw this.bad('more-than-there-is');
    return count;
  }

  private advance(length: number): number {
    const { at } = this;
    if (length > this.bytes.length - at) throw this.bad('cut-short');
    this.at = at + length;
    return at;
  }

  private bad(reason: string): FormatError {
    return new FormatError('rdb/bad-module', this.at, { reason });
  }
}
