import { signedLong } from '../bytes/int64.js';
import { FormatError } from '../errors.js';
import { SLOTS } from '../kernels/crc16.js';
import type { KeyHead } from '../model/handler.js';
import { type BlobRule, unpackBlob } from './blob.js';
import type { WarningSink } from './codec.js';
import { type Cursor, SHORT, wordAt } from './cursor.js';
import { type DialectName, type OpcodeRule, productOfAux } from './dialect.js';
import { readDragonflyRecord } from './dragonfly.js';
import type { RdbHandler } from './handler.js';
import { readKeyMetadata } from './key-metadata.js';
import { HashTemplates } from './templates.js';
import { TextReader } from './text.js';
import { functionLibraryOf, type PreGaFunction, readPreGaFunction } from './types/function.js';

/** Names of fields that give a product away are shorter, and so are versions. */
const AUX_NAME_MAX = 32;
const DATABASE_MAX = 0x7fffffff;

/** Reads the records around the keys: everything that starts with an opcode and is one item. */
export class OpcodeReader {
  /** The product that aux fields gave away, null until one does. */
  product: DialectName | null = null;
  private readonly text: TextReader;
  private readonly other: TextReader;
  private readonly preGa: PreGaFunction;

  constructor(
    stringBytesMax: number,
    private readonly templates = new HashTemplates(),
    private readonly warn: WarningSink = () => {},
  ) {
    this.text = new TextReader(stringBytesMax);
    this.other = new TextReader(stringBytesMax);
    this.preGa = { name: this.text, other: this.other };
  }

  /**
   * Reads the fields of an opcode that stand from `at` on.
   * @returns the position after them, or SHORT
   */
  read(rule: OpcodeRule, cursor: Cursor, at: number, head: KeyHead, out: RdbHandler): number {
    switch (rule) {
      case 'database':
        return readDatabase(cursor, at, head, out);
      case 'aux':
        return this.readAux(cursor, at, out);
      case 'resize':
        return readResize(cursor, at, out);
      case 'slot-info':
        return readSlotInfo(cursor, at, out);
      case 'function':
        return this.readFunction(cursor, at, out);
      case 'function-pre-ga':
        return readPreGaFunction(this.preGa, cursor, at, out);
      case 'slot-import':
        return this.readSlotImport(cursor, at, out);
      case 'hash-template':
        return this.templates.read(cursor, at, this.text);
      case 'ignored-length':
        return cursor.length(at);
      case 'journal-blob':
      case 'ignored-words':
      case 'key-mask':
      case 'vector-index':
      case 'document-index':
        return readDragonflyRecord(rule, cursor, at, this.text, this.warn);
      case 'blob-zstd':
      case 'blob-lz4':
        return this.passBlob(rule, cursor, at);
      default:
        throw new Error(`internal error, please report it: ${rule} is more than one item`);
    }
  }

  /** For whoever does not look into it: that it is whole is all there is to know. */
  private passBlob(rule: BlobRule, cursor: Cursor, at: number): number {
    const end = this.text.read(cursor, at);
    if (end !== SHORT) unpackBlob(rule, this.text.slice, cursor.offsetOf(at - 1));
    return end;
  }

  private readAux(cursor: Cursor, at: number, out: RdbHandler): number {
    const middle = this.text.read(cursor, at);
    if (middle === SHORT) return SHORT;
    const end = this.other.read(cursor, middle);
    if (end === SHORT) return SHORT;
    const { slice } = this.text;
    if (this.product === null && slice.length < AUX_NAME_MAX) {
      const value = this.other.slice;
      this.product = productOfAux(slice.latin1(), value.length < AUX_NAME_MAX ? value.latin1() : '');
    }
    out.aux(slice, this.other.slice);
    return end;
  }

  private readSlotImport(cursor: Cursor, start: number, out: RdbHandler): number {
    let at = this.text.read(cursor, start);
    if (at === SHORT) return SHORT;
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    let slots = 0;
    for (let left = cursor.value; left > 0; left--) {
      const firstAt = at;
      at = cursor.length(firstAt);
      if (at === SHORT) return SHORT;
      const first = cursor.value;
      at = cursor.length(at);
      if (at === SHORT) return SHORT;
      const last = cursor.value;
      if (first > last || last >= SLOTS) {
        throw new FormatError('rdb/bad-length', cursor.offsetOf(firstAt), {
          reason: 'slot-range',
          first,
          last,
        });
      }
      slots += last - first + 1;
    }
    out.slotImport(this.text.slice, slots);
    return at;
  }

  /** Reads what modules attached to the key to come into its head. @returns the position after it, or SHORT */
  readMetadata(cursor: Cursor, at: number, head: KeyHead): number {
    return readKeyMetadata(cursor, at, this.text, head);
  }

  private readFunction(cursor: Cursor, at: number, out: RdbHandler): number {
    const end = this.text.read(cursor, at);
    if (end !== SHORT) out.functionLibrary(functionLibraryOf(this.text));
    return end;
  }
}

/** Opcodes that describe the key that follows. */
export type AttributeRule = 'expiry-ms' | 'expiry-seconds' | 'idle' | 'freq';

export const isAttribute = (rule: OpcodeRule): rule is AttributeRule =>
  rule === 'expiry-ms' || rule === 'expiry-seconds' || rule === 'idle' || rule === 'freq';

/** Reads an attribute into the head of the key to come. @returns the position after it, or SHORT */
export function readAttribute(rule: AttributeRule, cursor: Cursor, at: number, head: KeyHead): number {
  if (rule === 'idle') return readIdle(cursor, at, head);
  if (rule === 'freq') return readFreq(cursor, at, head);
  return readExpiry(rule, cursor, at, head);
}

function readExpiry(rule: AttributeRule, cursor: Cursor, at: number, head: KeyHead): number {
  const end = at + (rule === 'expiry-ms' ? 8 : 4);
  if (end > cursor.end) return cursor.short(end);
  const { bytes } = cursor;
  head.hasExpiry = true;
  // Servers before 2.6 wrote seconds; everything after this point is milliseconds.
  if (rule === 'expiry-seconds') head.expiresAtMs = (wordAt(bytes, at) | 0) * 1000;
  else head.expiresAtMs = signedLong(wordAt(bytes, at + 4), wordAt(bytes, at));
  return end;
}

function readIdle(cursor: Cursor, at: number, head: KeyHead): number {
  const end = cursor.length(at);
  if (end !== SHORT) head.idleSeconds = cursor.value;
  return end;
}

function readFreq(cursor: Cursor, at: number, head: KeyHead): number {
  if (at >= cursor.end) return cursor.short(at + 1);
  head.freq = cursor.bytes[at]!;
  return at + 1;
}

function readDatabase(cursor: Cursor, at: number, head: KeyHead, out: RdbHandler): number {
  const end = cursor.length(at);
  if (end === SHORT) return SHORT;
  const index = cursor.value;
  if (index > DATABASE_MAX) {
    throw new FormatError('rdb/bad-length', cursor.offsetOf(at), { reason: 'database-index', index });
  }
  head.database = index;
  out.database(index);
  return end;
}

function readResize(cursor: Cursor, at: number, out: RdbHandler): number {
  const middle = cursor.length(at);
  if (middle === SHORT) return SHORT;
  const keys = cursor.value;
  const end = cursor.length(middle);
  if (end !== SHORT) out.resize(keys, cursor.value);
  return end;
}

function readSlotInfo(cursor: Cursor, at: number, out: RdbHandler): number {
  let end = cursor.length(at);
  if (end === SHORT) return SHORT;
  const slot = cursor.value;
  end = cursor.length(end);
  if (end === SHORT) return SHORT;
  const keys = cursor.value;
  end = cursor.length(end);
  if (end !== SHORT) out.slotInfo(slot, keys, cursor.value);
  return end;
}
