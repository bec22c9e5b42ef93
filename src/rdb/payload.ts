import { END } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { Crc64 } from '../kernels/crc64.js';
import type { ItemHandler, KeyHead } from '../model/handler.js';
import { checksumText } from './checksum.js';
import type { WarningSink } from './codec.js';
import { OPCODE_AUX, OPCODE_FUNCTION2, TRAILER_BYTES } from './constants.js';
import { Cursor, SHORT } from './cursor.js';
import { type Dialect, type DialectName, dialectOf } from './dialect.js';
import { readKeyMetadata } from './key-metadata.js';
import { moduleIdAt } from './module-id.js';
import { TextReader } from './text.js';
import { functionLibraryOf } from './types/function.js';
import { moduleCodec, moduleValue } from './types/module.js';
import { countAt, DEFAULT_LIMITS, encodingAt, type RdbLimits, ValueReader } from './value-reader.js';

/** Version and checksum at the end of a payload. */
const FOOTER_BYTES = 2 + TRAILER_BYTES;

export interface PayloadOptions {
  /** Whose numbers the payload uses: it carries a version and no name. */
  readonly product: DialectName;
  readonly deep: boolean;
  readonly limits?: RdbLimits | undefined;
  readonly onWarning?: WarningSink | undefined;
}

/**
 * Decodes what DUMP and FUNCTION DUMP give and RESTORE and FUNCTION RESTORE take: values or libraries with a version
 * and a checksum behind them. One decoder serves any number of payloads. A checksum of zero is one that was not made.
 */
export class PayloadDecoder {
  private readonly cursor = new Cursor();
  private readonly values: ValueReader;
  private readonly text: TextReader;
  private readonly warn: WarningSink;

  constructor(private readonly options: PayloadOptions) {
    const limits = options.limits ?? DEFAULT_LIMITS;
    this.warn = options.onWarning ?? (() => {});
    this.values = new ValueReader(options.deep, limits, this.warn);
    this.text = new TextReader(limits.stringBytesMax);
  }

  /**
   * Tells `out` the value in `bytes[start..end)` as one key: `key`, its items, `keyEnd`. The caller has filled in the
   * key, database and expiry of `head`; kind, encoding, type and count are filled in here. `offset` is the absolute
   * offset of the payload's first byte, for errors. Whether `out` is full does not matter.
   *
   * @throws FormatError when footer or value are bad; events of the items before the fault have been told by then
   */
  value(bytes: Buffer, start: number, end: number, head: KeyHead, out: ItemHandler, offset = 0): void {
    const dialect = this.open(bytes, start, end, offset);
    const { cursor } = this;
    if (cursor.position >= cursor.end) throw this.truncated(offset);
    const typeAt = this.passMetadata(dialect, head, offset);
    const typeId = bytes[typeAt]!;
    let codec = dialect.typeOf[typeId];
    if (codec === undefined) {
      throw new FormatError('rdb/unknown-type', cursor.offsetOf(typeAt), { number: typeId });
    }
    head.moduleName = '';
    head.moduleVersion = 0;
    if (codec === moduleValue) {
      const id = moduleIdAt(cursor, typeAt + 1);
      if (id === null) throw this.truncated(offset);
      head.moduleName = id.name;
      head.moduleVersion = id.version;
      codec = moduleCodec(id);
    }
    const encoding = encodingAt(codec, cursor, typeAt + 1);
    const count = countAt(codec, cursor, typeAt + 1);
    if (encoding === null || count === null) throw this.truncated(offset);
    head.kind = codec.kind;
    head.encoding = encoding;
    head.typeId = typeId;
    head.count = count;
    head.fieldsExpire = codec.fieldsExpire === true;
    head.opaque = codec.decode === null;
    cursor.position = typeAt + 1;
    this.values.begin(codec, out.key(head), cursor);
    this.readValue(out);
    this.readRest();
    out.keyEnd(head);
  }

  /** Reads what modules attached to the key, if anything; returns the position of the value's type number. */
  private passMetadata(dialect: Dialect, head: KeyHead, offset: number): number {
    const { cursor } = this;
    head.metadata = null;
    if (dialect.opcodeOf[cursor.bytes[cursor.position]!] !== 'key-metadata') return cursor.position;
    const at = readKeyMetadata(cursor, cursor.position + 1, this.text, head);
    if (at === SHORT || at >= cursor.end) throw this.truncated(offset);
    return at;
  }

  /** Tells `out` the function libraries in `bytes[start..end)`. @throws FormatError */
  functions(bytes: Buffer, start: number, end: number, out: ItemHandler, offset = 0): void {
    this.open(bytes, start, end, offset);
    const { cursor, text } = this;
    while (cursor.position < cursor.end) {
      const opcode = bytes[cursor.position]!;
      if (opcode !== OPCODE_FUNCTION2) {
        throw new FormatError('rdb/bad-function', cursor.offsetOf(cursor.position), { opcode });
      }
      const at = text.read(cursor, cursor.position + 1);
      if (at === SHORT) throw this.truncated(cursor.offsetOf(cursor.position));
      out.functionLibrary(functionLibraryOf(text));
      cursor.position = at;
    }
  }

  /** Checks the footer and puts the cursor over what stands before it. */
  private open(bytes: Buffer, start: number, end: number, offset: number): Dialect {
    const bodyEnd = end - FOOTER_BYTES;
    if (bodyEnd < start) {
      throw new FormatError('rdb/truncated', offset, { reading: 'payload footer', available: end - start });
    }
    const version = bytes.readUInt16LE(bodyEnd);
    const dialect = dialectOf(productOfVersion(version) ?? this.options.product, version);
    const versionOffset = offset + bodyEnd - start;
    const low = bytes.readUInt32LE(bodyEnd + 2);
    const high = bytes.readUInt32LE(bodyEnd + 6);
    // First: a version that is not known says something only where it is what was written.
    if (high !== 0 || low !== 0) checkSum(bytes, start, bodyEnd + 2, high, low, versionOffset + 2);
    if (dialect === null) throw new FormatError('rdb/unsupported-version', versionOffset, { version });
    const { cursor } = this;
    cursor.bytes = bytes;
    cursor.position = start;
    cursor.end = bodyEnd;
    cursor.base = offset - start;
    cursor.limit = cursor.offsetOf(bodyEnd);
    return dialect;
  }

  private readValue(out: ItemHandler): void {
    const { cursor, values } = this;
    for (;;) {
      const before = cursor.position;
      const progress = values.run(cursor, out);
      if (progress === END) return;
      if (cursor.position > before) continue;
      const error = this.truncated(cursor.offsetOf(before));
      for (const step of values.trail.reverse()) error.within(step);
      throw error;
    }
  }

  /** Behind the value: nothing, or the fields that KeyDB adds. */
  private readRest(): void {
    const { cursor, text } = this;
    while (cursor.position < cursor.end) {
      const from = cursor.position;
      let at = cursor.bytes[from] === OPCODE_AUX ? text.read(cursor, from + 1) : SHORT;
      if (at !== SHORT) at = text.read(cursor, at);
      if (at === SHORT) {
        this.warn('rdb/trailing-bytes', cursor.offsetOf(from), { bytes: cursor.end - from });
        return;
      }
      cursor.position = at;
    }
  }

  private truncated(offset: number): FormatError {
    const { cursor } = this;
    const available = cursor.end - cursor.position;
    return new FormatError('rdb/truncated', offset, { reading: 'payload', needed: cursor.need, available });
  }
}

/** Whose a version is, where only one product ever had it. */
function productOfVersion(version: number): DialectName | null {
  if (version >= VALKEY_VERSION_MIN) return 'valkey';
  return version >= REDIS_VERSION_MIN ? 'redis' : null;
}

const VALKEY_VERSION_MIN = 80;
/** From here on Redis went alone. */
const REDIS_VERSION_MIN = 12;

function checkSum(
  bytes: Buffer,
  start: number,
  end: number,
  high: number,
  low: number,
  offset: number,
): void {
  const crc = new Crc64();
  crc.update(bytes, start, end);
  if (crc.high === high && crc.low === low) return;
  const detail = { stored: checksumText(high, low), computed: checksumText(crc.high, crc.low) };
  throw new FormatError('rdb/checksum-mismatch', offset, detail);
}
