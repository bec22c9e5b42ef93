import type { ByteSlice } from '../bytes/slice.js';
import { END, PAUSE } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { Int64Words } from '../kernels/decimal.js';
import { murmurHash64A } from '../kernels/murmur.js';
import { FRAGMENTS, ITEMS, type ItemHandler, ItemSink, KeyHead, SKIP } from '../model/handler.js';
import { LENGTH_SPECIAL } from '../rdb/constants.js';
import { type Cursor, SHORT } from '../rdb/cursor.js';
import type { Dialect, DialectName, OpcodeRule } from '../rdb/dialect.js';
import { RdbSink } from '../rdb/handler.js';
import { forgetKey, KeyReader } from '../rdb/key-reader.js';
import { ModuleAuxReader } from '../rdb/module-aux.js';
import { OpcodeReader, readAttribute } from '../rdb/opcodes.js';
import { HashTemplates } from '../rdb/templates.js';
import { string } from '../rdb/types/string.js';
import { type RdbLimits, ValueReader } from '../rdb/value-reader.js';

/** What a record is: a key with its value, or what stands around keys. */
export type RecordKind = 'key' | Exclude<OpcodeRule, AttributeRule>;
type AttributeRule = 'expiry-ms' | 'expiry-seconds' | 'freq' | 'idle' | 'key-metadata';

const HEAD = 0;
const VALUE = 1;
const MODULE_AUX = 2;

/** Seed of the hash of names; another in every process, so that no file can be made whose names collide. */
const SEED = Math.floor(Math.random() * 0x100000000);
const NAME_LOOKED_AT = 64;
const words = new Int64Words();

/** Listens to the records around keys. */
class Surroundings extends RdbSink {
  auxName = '';
  auxValue = '';
  resizeKeys = 0;

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.auxName = name.length > 64 ? '' : name.latin1();
    this.auxValue = value.length > 64 ? '' : value.latin1();
  }

  override resize(keys: number): void {
    this.resizeKeys = keys;
  }
}

/**
 * Reads one record after the other from wherever it is put, values of any size in a window of any size. What it found
 * stands in its fields until the next `begin`.
 */
export class RecordReader {
  kind: RecordKind = 'key';
  /** Absolute offset of the record's first byte, its attributes included. */
  start = 0;
  /** Key, type, expiry and database; `key` holds its bytes until the value is read in more than one go. */
  readonly head = new KeyHead();
  /** Hash of the name, without the database. */
  nameHigh = 0;
  nameLow = 0;
  /** What the name begins with, digits taken for each other: 32 bits. */
  shape = 0;
  nameBytes = 0;
  /** Whether the name's first bytes are text. */
  printable = false;
  /** True when the value had no items although its type must have some. */
  emptyValue = false;
  /** True when a compressed string, or a structure of several fields, was read: more than a length that fits. */
  structured = false;
  /** The record's attributes were more than its name and value. */
  hasAttributes = false;
  /** Absolute offset of the value's first byte, once the name was read; -1 before. */
  valueStart = -1;
  readonly around = new Surroundings();
  /** True when `run` came back because the listener was full: nothing more is needed to go on. */
  paused = false;
  /** True: values are walked past by their layout alone. */
  shallow = false;
  /** By number: whether a record ever had this type or opcode. */
  readonly met = new Uint8Array(256);
  private readonly keyReader: KeyReader;
  private readonly values: ValueReader;
  private readonly opcodes: OpcodeReader;
  private readonly moduleAux = new ModuleAuxReader();
  private phase = HEAD;
  private out: ItemHandler = new ItemSink();

  constructor(
    public dialect: Dialect,
    limits: RdbLimits,
    readonly templates = new HashTemplates(null, true),
  ) {
    this.keyReader = new KeyReader(limits);
    const warn = () => {
      this.emptyValue = true;
    };
    this.values = new ValueReader(true, limits, warn, templates);
    this.opcodes = new OpcodeReader(limits.stringBytesMax, templates);
  }

  /** The product that aux fields gave away; null until one does. */
  get product(): DialectName | null {
    return this.opcodes.product;
  }

  /** Who is told the items of values. */
  tell(out: ItemHandler): void {
    this.out = out;
  }

  /** A record begins at the cursor. */
  begin(cursor: Cursor): void {
    const { head } = this;
    this.phase = HEAD;
    this.kind = 'key';
    this.start = cursor.offsetOf(cursor.position);
    this.valueStart = -1;
    this.emptyValue = this.structured = this.hasAttributes = false;
    forgetKey(head);
    head.offset = this.start;
    head.key.set(head.key.bytes, 0, 0);
  }

  /** True between a name and the end of its value. */
  get insideValue(): boolean {
    return this.phase === VALUE;
  }

  /** What is being read, outermost first, for messages. */
  get trail(): string[] {
    return this.phase === VALUE ? this.values.trail : [];
  }

  /**
   * Goes on; true when the record is complete, false when the window is short of `cursor.need` bytes.
   * @throws FormatError
   */
  run(cursor: Cursor): boolean {
    if (this.phase === HEAD && !this.readHead(cursor)) return false;
    if (this.phase === HEAD) return true;
    if (this.phase === MODULE_AUX) return this.moduleAux.run(cursor, this.around) === END;
    const progress = this.values.run(cursor, this.out);
    this.paused = progress === PAUSE;
    return progress === END;
  }

  /**
   * After `run` came back short: bytes to come that need not be read, as they are passed by their number alone. Whoever
   * asks puts the cursor behind them.
   */
  passOver(): number {
    return this.phase === VALUE ? this.values.passOver() : 0;
  }

  /** Reads attributes, then name or opcode; false when the window is short. */
  private readHead(cursor: Cursor): boolean {
    const { head, dialect } = this;
    for (;;) {
      const at = cursor.position;
      if (at >= cursor.end) {
        cursor.need = 1;
        return false;
      }
      const number = cursor.bytes[at]!;
      const codec = dialect.typeOf[number];
      const rule = dialect.opcodeOf[number];
      if (codec !== undefined || rule !== undefined) this.met[number] = 1;
      if (codec !== undefined) return this.readKey(cursor, number);
      if (isAttribute(rule)) {
        const next =
          rule === 'key-metadata'
            ? this.opcodes.readMetadata(cursor, at + 1, head)
            : readAttribute(rule, cursor, at + 1, head);
        if (next === SHORT) return false;
        cursor.position = next;
        this.hasAttributes = true;
        continue;
      }
      if (rule === 'aux' && this.hasAttributes) {
        // KeyDB puts fields of its own between a key's attributes and the key.
        const next = this.opcodes.read(rule, cursor, at + 1, head, this.around);
        if (next === SHORT) return false;
        cursor.position = next;
        continue;
      }
      if (rule === undefined || rule === 'tagged-chunk' || this.hasAttributes) {
        // A server takes any record after an attribute, none writes one; and a chunk is nothing without the others.
        const code = number < 0x80 ? 'rdb/unknown-type' : 'rdb/unknown-opcode';
        throw new FormatError(code, cursor.offsetOf(at), { number });
      }
      return this.readOpcode(cursor, rule, at);
    }
  }

  private readOpcode(cursor: Cursor, rule: Exclude<OpcodeRule, AttributeRule>, at: number): boolean {
    this.kind = rule;
    if (rule === 'end') {
      cursor.position = at + 1;
      return true;
    }
    if (rule === 'module-aux') {
      cursor.position = at + 1;
      this.moduleAux.begin();
      this.phase = MODULE_AUX;
      return true;
    }
    const next = this.opcodes.read(rule, cursor, at + 1, this.head, this.around);
    if (next === SHORT) return false;
    cursor.position = next;
    return true;
  }

  private readKey(cursor: Cursor, number: number): boolean {
    const { head, keyReader } = this;
    const valueAt = keyReader.read(cursor, this.dialect.typeOf[number]!, number, head);
    if (valueAt === SHORT) return false;
    const { codec } = keyReader;
    const { bytes, start, end } = head.key;
    this.judgeName(bytes, start, end);
    const first = cursor.bytes[valueAt]!;
    // Any bytes may stand in a plain string: only its length can be held against anything.
    const plain = codec === string && (first < LENGTH_SPECIAL || first > LENGTH_SPECIAL + 3);
    this.structured = codec === string ? first === LENGTH_SPECIAL + 3 : codec.decode !== null;
    this.valueStart = cursor.offsetOf(valueAt);
    const wanted = this.out.key(head);
    cursor.position = valueAt;
    const depth = head.textBytes >= 0 ? FRAGMENTS : ITEMS;
    this.values.begin(codec, this.shallow || (plain && wanted === SKIP) ? SKIP : depth, cursor);
    this.phase = VALUE;
    return true;
  }

  private judgeName(bytes: Buffer, start: number, end: number): void {
    murmurHash64A(bytes, start, end, SEED, words);
    this.nameHigh = words.high;
    this.nameLow = words.low;
    this.nameBytes = end - start;
    this.shape = shapeOf(bytes, start, end);
    this.printable = isText(bytes, start, Math.min(end, start + NAME_LOOKED_AT), end);
  }
}

function isAttribute(rule: OpcodeRule | undefined): rule is AttributeRule {
  return (
    rule === 'expiry-ms' ||
    rule === 'expiry-seconds' ||
    rule === 'freq' ||
    rule === 'idle' ||
    rule === 'key-metadata'
  );
}

/** Whether the record just read is a whole frame of compressed records: its magic and its checksums vouch for it. */
export function isBlob({ kind }: RecordReader): boolean {
  return kind === 'blob-lz4' || kind === 'blob-zstd';
}

/** The first four bytes of a name, every digit a zero; the highest bit tells names of nothing but digits from others. */
function shapeOf(bytes: Buffer, start: number, end: number): number {
  let shape = 0;
  for (let at = start; at < start + 4; at++) {
    const byte = at < end ? bytes[at]! : 0;
    shape = (shape << 8) | (isDigit(byte) ? 0x30 : byte);
  }
  if (shape >>> 8 !== 0x303030 || end - start > 20) return shape;
  for (let at = start; at < end; at++) if (!isDigit(bytes[at]!)) return shape;
  return shape | 0x80000000;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Whether bytes are printable ASCII and whole sequences of UTF-8; one cut off at `stop` before `end` passes. */
function isText(bytes: Buffer, start: number, stop: number, end: number): boolean {
  for (let at = start; at < stop; ) {
    const byte = bytes[at]!;
    if (byte >= 0x20 && byte < 0x7f) {
      at++;
      continue;
    }
    const more =
      byte >= 0xc2 && byte < 0xe0 ? 1 : byte >= 0xe0 && byte < 0xf0 ? 2 : byte >= 0xf0 && byte < 0xf5 ? 3 : 0;
    if (more === 0) return false;
    for (let i = 1; i <= more; i++) {
      if (at + i >= end) return false;
      if (at + i < stop && (bytes[at + i]! & 0xc0) !== 0x80) return false;
    }
    at += more + 1;
  }
  return true;
}
