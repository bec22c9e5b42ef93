import { ByteSlice } from '../bytes/slice.js';
import { type ByteWindow, END, type Machine, NEED, PAUSE, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { ITEMS, KeyHead, RAW } from '../model/handler.js';
import { Blob } from './blob.js';
import { RunningChecksum } from './checksum.js';
import { ChunkedValues } from './chunks.js';
import type { TypeCodec } from './codec.js';
import { HEADER_BYTES } from './constants.js';
import { Cursor, SHORT } from './cursor.js';
import type { RdbDecoderOptions } from './decoder-options.js';
import { type Dialect, type DialectName, dialectOf, type OpcodeRule } from './dialect.js';
import type { RdbHandler } from './handler.js';
import { readHeader } from './header.js';
import { describe, forgetKey, KeyReader, resumeValue } from './key-reader.js';
import { type SizeListener, tellShort } from './metered-skim.js';
import { ModuleAuxReader } from './module-aux.js';
import { isAttribute, OpcodeReader, readAttribute } from './opcodes.js';
import type { Shortcut } from './shortcut.js';
import { SmallString } from './small-string.js';
import { HashTemplates } from './templates.js';
import { TextReader } from './text.js';
import { readTrailer } from './trailer.js';
import { string } from './types/string.js';
import { DEFAULT_LIMITS, ValueReader } from './value-reader.js';

export type { RdbDecoderOptions } from './decoder-options.js';

const HEADER = 0;
const RECORDS = 1;
const VALUE = 2;
const MODULE_AUX = 3;
const TRAILER = 4;
const DONE = 5;

/**
 * Decodes an RDB of any size as it streams through a window, telling a handler what it holds. After END the window
 * stands just past the trailer: whatever follows there (the commands of an AOF) is not touched.
 */
export class RdbDecoder implements Machine {
  /** The key at hand while its value is read; its `key` is valid until `keyEnd` returns. For messages of callers. */
  readonly head = new KeyHead();
  private phase = HEADER;
  private keys = 0;
  private dialectNow: Dialect | null = null;
  private readonly product: DialectName | null;
  /** Absolute offset of the record at hand, attributes of a key included; -1 between records. */
  private recordOffset = -1;
  private readonly cursor = new Cursor();
  private readonly keyReader: KeyReader;
  private readonly valueText: TextReader;
  private readonly small = new SmallString();
  private readonly values: ValueReader;
  private readonly opcodes: OpcodeReader;
  private readonly moduleAux = new ModuleAuxReader();
  /** Records that stand compressed in a record. */
  private readonly blob = new Blob();
  private readonly chunks: ChunkedValues | null;
  /** Of what was decoded by now, where it is compared. */
  readonly checksum: RunningChecksum;
  private readonly verify: boolean;
  /** Whether the handler wants the bytes around the values. */
  private readonly records: boolean;
  private readonly recordBytes = new ByteSlice();
  private readonly sizes: SizeListener | null;
  private keyCopy = Buffer.alloc(256);
  /** Nothing more comes. */
  private atEnd = false;

  constructor(
    private readonly handler: RdbHandler,
    options: RdbDecoderOptions,
  ) {
    const limits = options.limits ?? DEFAULT_LIMITS;
    this.keyReader = new KeyReader(limits);
    this.valueText = new TextReader(limits.stringBytesMax);
    const warn = options.onWarning ?? (() => {});
    this.sizes = handler.sizes ?? null;
    this.values = new ValueReader(options.deep, limits, warn, new HashTemplates(), this.sizes);
    this.opcodes = new OpcodeReader(limits.stringBytesMax, this.values.templates, warn);
    this.verify = options.verifyChecksum;
    this.records = handler.record !== undefined;
    this.checksum = new RunningChecksum(options.verifyChecksum, options.inPlace);
    this.product = options.dialect ?? null;
    this.dialectNow = options.inside ?? null;
    if (this.dialectNow !== null) this.phase = RECORDS;
    // What comes in chunks has no chunks itself.
    const ofChunks = {
      limits,
      verifyChecksum: false,
      deep: false,
      dialect: 'dragonfly',
      inChunks: true,
    } as const;
    this.chunks = options.inChunks ? null : new ChunkedValues((sink) => new RdbDecoder(sink, ofChunks));
  }

  /** The dialect of the file, as far as it is known by now; null before the header is read. */
  get dialect(): Dialect | null {
    return this.dialectNow;
  }

  /** Absolute offset of the item that is being read: for handlers, while they are told of it. */
  get offset(): number {
    return this.cursor.offsetOf(this.cursor.position);
  }

  /** True between two records of the file. */
  get betweenRecords(): boolean {
    return this.phase === RECORDS && this.recordOffset < 0 && !this.blob.isOpen;
  }

  /** True between a key and its end: an error now is one of the key in `head`. */
  get insideKey(): boolean {
    return this.phase === VALUE;
  }

  /** @throws FormatError for bad bytes; the window then stands at the first item that could not be read */
  run(window: ByteWindow): Progress {
    const { cursor, blob } = this;
    cursor.attach(window);
    this.checksum.start(cursor.position);
    if (blob.isOpen) blob.enter(cursor);
    try {
      for (;;) {
        const progress = this.advance();
        if (progress !== NEED || !blob.isOpen) return progress;
        blob.close(cursor, this.phase === RECORDS);
        this.openGathered();
      }
    } catch (error) {
      throw blob.isOpen ? blob.located(error) : error;
    } finally {
      if (blob.isOpen) blob.leave(cursor);
      this.checksum.consume(cursor.bytes, cursor.position);
      if (this.phase === VALUE && this.head.key.bytes === cursor.bytes) this.keepKey();
      cursor.detach(window);
    }
  }

  /** @throws FormatError `rdb/truncated` unless the trailer has been read */
  finish(window: ByteWindow): void {
    if (this.phase === RECORDS && this.handler.shortcut) {
      // What it waited for does not come: the decoder says what that is.
      this.atEnd = true;
      this.goOnBehind(this.handler.shortcut);
      while (this.run(window) === PAUSE);
    }
    if (this.phase === DONE) return;
    const end = Number.isFinite(window.limit) ? window.limit - window.base : window.end;
    const available = end - window.position;
    const error = new FormatError('rdb/truncated', window.offset, {
      reading: READING[this.phase]!,
      needed: Math.max(window.need, available + 1),
      available,
    });
    if (this.phase === VALUE) for (const step of this.values.trail.reverse()) error.within(step);
    throw error;
  }

  private advance(): Progress {
    for (;;) {
      switch (this.phase) {
        case HEADER: {
          const header = readHeader(this.cursor, this.product);
          if (header === null) return NEED;
          this.dialectNow = header.dialect;
          this.handler.header(header);
          this.tellRecord(this.cursor.position - HEADER_BYTES, this.cursor.position);
          this.phase = RECORDS;
          break;
        }
        case RECORDS: {
          const progress = this.readRecords();
          if (progress !== END) return progress;
          continue;
        }
        case VALUE: {
          const progress = this.values.run(this.cursor, this.handler);
          if (progress !== END) return progress;
          this.endKey();
          break;
        }
        case MODULE_AUX: {
          const from = this.cursor.position;
          const progress = this.moduleAux.run(this.cursor, this.handler);
          this.tellRecord(from, this.cursor.position);
          if (progress !== END) return progress;
          this.phase = RECORDS;
          break;
        }
        case TRAILER:
          if (!this.readTrailer(this.dialectNow!)) return NEED;
          return END;
        default:
          return END;
      }
      if (this.handler.full) return PAUSE;
    }
  }

  /** Reads records until one has a value of its own to go through (END), the window is short, or the handler full. */
  private readRecords(): Progress {
    const { cursor, handler } = this;
    const { bytes, end } = cursor;
    while (cursor.position < end) {
      const progress = this.takeShortcut();
      if (progress !== END || this.phase === VALUE) return progress;
      const number = bytes[cursor.position]!;
      const dialect = this.dialectNow!; // an aux field can change it
      const codec = dialect.typeOf[number];
      if (this.recordOffset < 0) this.recordOffset = cursor.offsetOf(cursor.position);
      if (codec !== undefined) {
        if (codec !== string || !this.readSmallString(number)) {
          if (!this.readKey(codec, number)) return NEED;
          return handler.full ? PAUSE : END;
        }
      } else {
        const progress = this.readOpcode(dialect.opcodeOf[number], number);
        if (progress !== PAUSE) return progress;
      }
      if (handler.full) return PAUSE;
    }
    cursor.need = 1;
    return NEED;
  }

  /** Lets the handler's shortcut go first. END: what stands here now is the decoder's, in the middle of a value or not. */
  private takeShortcut(): Progress {
    const { shortcut } = this.handler;
    if (!shortcut || this.atEnd || this.recordOffset >= 0 || this.blob.isOpen) return END;
    const progress = shortcut.take(this.cursor, this.head.database, this.dialectNow!);
    this.keys += shortcut.keys;
    if (progress === END) this.goOnBehind(shortcut);
    return progress;
  }

  private goOnBehind(shortcut: Shortcut): void {
    const { cursor, head, values } = this;
    if (resumeValue(shortcut.leave(), this.dialectNow!, cursor, head, values)) this.phase = VALUE;
  }

  /** The fast path: a short plain key with a plain value, both in the window, taken as one item. */
  private readSmallString(number: number): boolean {
    const { cursor, handler, head, small } = this;
    if (!small.find(cursor)) return false;
    const { bytes } = cursor;
    const { keyEnd, valueAt, valueEnd, encoding } = small;
    head.key.set(bytes, small.keyAt, keyEnd);
    describe(head, string, number, encoding, -1);
    head.offset = this.recordOffset;
    if (this.records) this.tellRecord(cursor.position, keyEnd);
    const depth = handler.key(head);
    const { slice } = this.valueText;
    if (depth >= ITEMS) {
      if (encoding === 'int') this.valueText.read(cursor, keyEnd);
      else slice.set(bytes, valueAt, valueEnd);
      handler.text(slice);
    } else {
      if (depth === RAW) handler.raw(slice.set(bytes, keyEnd, valueEnd));
      if (this.sizes !== null) tellShort(this.sizes, bytes, keyEnd, valueAt, valueEnd);
    }
    cursor.position = valueEnd;
    this.endKey();
    return true;
  }

  /** Reads type and key and asks how deep to go; false when the window is short. */
  private readKey(typeCodec: TypeCodec, number: number): boolean {
    const { cursor, head, keyReader } = this;
    const valueAt = keyReader.read(cursor, typeCodec, number, head);
    if (valueAt === SHORT) return false;
    head.offset = this.recordOffset;
    this.tellRecord(cursor.position, valueAt);
    const depth = this.handler.key(head);
    cursor.position = valueAt;
    this.phase = VALUE;
    this.values.begin(keyReader.codec, depth, cursor);
    return true;
  }

  private tellRecord(start: number, end: number): void {
    if (this.records && end > start) {
      this.handler.record?.(this.recordBytes.set(this.cursor.bytes, start, end));
    }
  }

  private endKey(): void {
    const { head, cursor, sizes } = this;
    if (sizes !== null) sizes.record(cursor.offsetOf(cursor.position) - this.recordOffset);
    this.handler.keyEnd(head);
    this.keys++;
    forgetKey(head);
    this.recordOffset = -1;
    this.phase = RECORDS;
  }

  /** PAUSE: the record was one item and is done; END: another phase takes over; NEED: the window is short. */
  private readOpcode(rule: OpcodeRule | undefined, number: number): Progress {
    const { cursor } = this;
    const at = cursor.position + 1;
    if (rule === undefined) throw this.unknownNumber(number);
    if (rule === 'key-metadata' || isAttribute(rule)) {
      // Attributes belong to the key that follows, whatever stands between: the record goes on.
      const metadata = rule === 'key-metadata';
      const next = metadata
        ? this.opcodes.readMetadata(cursor, at, this.head)
        : readAttribute(rule, cursor, at, this.head);
      if (next === SHORT) return NEED;
      this.tellRecord(cursor.position, next);
      cursor.position = next;
      return PAUSE;
    }
    const inBlob = this.blob.isOpen;
    if (rule === 'blob-zstd' || rule === 'blob-lz4' || (rule === 'end' && inBlob)) {
      if (rule === 'end' || inBlob) throw this.unknownNumber(number);
      this.recordOffset = -1;
      return this.blob.open(rule, cursor, this.valueText) ? END : NEED;
    }
    if (rule === 'end') {
      this.chunks?.end();
      cursor.position = at;
      this.checksum.consume(cursor.bytes, at);
      this.phase = TRAILER;
      return END;
    }
    if (rule === 'module-aux') {
      this.tellRecord(cursor.position, at);
      cursor.position = at;
      this.recordOffset = -1;
      this.moduleAux.begin();
      this.phase = MODULE_AUX;
      return END;
    }
    if (rule === 'tagged-chunk') return this.readChunk(at, number);
    const next = this.opcodes.read(rule, cursor, at, this.head, this.handler);
    if (next === SHORT) return NEED;
    this.tellRecord(cursor.position, next);
    cursor.position = next;
    this.leaveRecord();
    return PAUSE;
  }

  private readChunk(at: number, number: number): Progress {
    const { cursor, chunks } = this;
    if (chunks === null) throw this.unknownNumber(number);
    const next = chunks.read(cursor, at, this.head.database);
    if (next === SHORT) return NEED;
    cursor.position = next;
    this.recordOffset = -1;
    if (!this.blob.isOpen) this.openGathered();
    return this.blob.isOpen ? END : PAUSE;
  }

  /** Goes on with a key whose chunks have all come, if there is one. */
  private openGathered(): void {
    const gathered = this.chunks?.next(this.head.database) ?? null;
    if (gathered !== null) this.blob.openGathered(gathered, this.cursor);
  }

  /** Attributes read before another record still belong to the next key. */
  private leaveRecord(): void {
    const { head } = this;
    if (!head.hasExpiry && head.idleSeconds < 0 && head.freq < 0 && head.metadata === null)
      this.recordOffset = -1;
    const { product } = this.opcodes;
    const dialect = this.dialectNow!;
    if (this.product === null && product !== null && product !== dialect.name) {
      this.dialectNow = dialectOf(product, dialect.version) ?? dialect;
    }
  }

  private unknownNumber(number: number): FormatError {
    // The servers' own bound between the two kinds of numbers.
    const code = number < 0x80 ? 'rdb/unknown-type' : 'rdb/unknown-opcode';
    return new FormatError(code, this.cursor.offsetOf(this.cursor.position), { number });
  }

  private readTrailer(dialect: Dialect): boolean {
    const { cursor } = this;
    const trailer = readTrailer(cursor, dialect, this.verify ? this.checksum : null);
    if (trailer === null) return false;
    this.phase = DONE;
    if (trailer instanceof FormatError) throw trailer;
    const endOffset = cursor.offsetOf(cursor.position);
    this.handler.end({ ...trailer, endOffset, keys: this.keys, dialect });
    return true;
  }

  /** The window's memory is about to be given back in the middle of a value: the key moves to memory of our own. */
  private keepKey(): void {
    const { bytes, start, end, length } = this.head.key;
    if (length > this.keyCopy.length) this.keyCopy = Buffer.allocUnsafeSlow(length);
    bytes.copy(this.keyCopy, 0, start, end);
    this.head.key.set(this.keyCopy, 0, length);
  }
}

const READING = ['header', 'record', 'value', 'module-aux', 'checksum'] as const;
