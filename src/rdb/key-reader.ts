import { type KeyHead, TEXT_WHOLE_MAX } from '../model/handler.js';
import type { TypeCodec } from './codec.js';
import { type Cursor, SHORT } from './cursor.js';
import type { Dialect } from './dialect.js';
import { LargeText } from './large-text.js';
import { moduleIdAt } from './module-id.js';
import type { PartialValue } from './shortcut.js';
import { TextReader } from './text.js';
import { moduleCodec, moduleValue } from './types/module.js';
import { string } from './types/string.js';
import { countAt, encodingAt, type RdbLimits, type ValueReader } from './value-reader.js';

/** Reads what stands in front of a key's value: its name, and how the value is held. */
export class KeyReader {
  /** Of the key read last: that of its type number, or what its module has. */
  codec: TypeCodec = string;
  private readonly text: TextReader;
  private readonly large: LargeText;

  constructor({ stringBytesMax, wholeTextMax = TEXT_WHOLE_MAX }: RdbLimits) {
    this.text = new TextReader(stringBytesMax);
    this.large = new LargeText(wholeTextMax);
  }

  /**
   * Reads a key whose type number stands at the cursor into its head; the name is borrowed.
   * @returns the position of its value, or SHORT
   */
  read(cursor: Cursor, typeCodec: TypeCodec, number: number, head: KeyHead): number {
    const valueAt = this.text.read(cursor, cursor.position + 1);
    if (valueAt === SHORT) return SHORT;
    let codec = typeCodec;
    if (codec === moduleValue) {
      const id = moduleIdAt(cursor, valueAt);
      if (id === null) return SHORT;
      head.moduleName = id.name;
      head.moduleVersion = id.version;
      codec = moduleCodec(id);
    }
    const encoding = encodingAt(codec, cursor, valueAt);
    if (encoding === null) return SHORT;
    const count = countAt(codec, cursor, valueAt);
    if (count === null) return SHORT;
    const textBytes = codec === string ? this.large.lengthAt(cursor, valueAt) : -1;
    if (textBytes === null) return SHORT;
    const { bytes, start, end } = this.text.slice;
    head.key.set(bytes, start, end);
    this.codec = codec;
    describe(head, codec, number, encoding, count);
    head.textBytes = textBytes;
    return valueAt;
  }
}

/** Goes on with a value that a shortcut gave up in the middle; false when there is none. */
export function resumeValue(
  value: PartialValue | null,
  dialect: Dialect,
  cursor: Cursor,
  head: KeyHead,
  values: ValueReader,
): boolean {
  if (value === null) return false;
  const codec = dialect.typeOf[value.number]!;
  head.key.set(value.name, 0, value.name.length);
  head.offset = cursor.offsetOf(cursor.position);
  describe(head, codec, value.number, codec.encoding, -1);
  values.resume(codec, value, cursor);
  return true;
}

/** Sets what a head says of its value. */
export function describe(
  head: KeyHead,
  codec: TypeCodec,
  number: number,
  encoding: string,
  count: number,
): void {
  head.kind = codec.kind;
  head.encoding = encoding;
  head.typeId = number;
  head.count = count;
  head.textBytes = -1;
  head.fieldsExpire = codec.fieldsExpire === true;
  head.opaque = codec.decode === null;
}

/** Takes away what was told of the key before. */
export function forgetKey(head: KeyHead): void {
  head.hasExpiry = false;
  head.expiresAtMs = 0;
  head.idleSeconds = -1;
  head.freq = -1;
  head.metadata = null;
  head.moduleName = '';
  head.moduleVersion = 0;
}
