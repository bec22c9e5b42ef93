import { isUtf8 } from 'node:buffer';
import { ByteSlice } from '../bytes/slice.js';
import { type ByteWindow, type Machine, NEED, PAUSE, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { FRAGMENTS, type ItemHandler, KeyHead, SKIP } from '../model/handler.js';
import { OBJECT_TYPE, type ValueKind } from '../model/kind.js';
import { FORMAT_VERSION, LISTED_KINDS } from './format.js';
import {
  arrayOf,
  bytesOf,
  countOf,
  type JsonObject,
  LineError,
  longOf,
  objectOf,
  property,
} from './line-value.js';
import { ItemTeller } from './teller.js';

/** Who listens to NDJSON: a dataset, and what stood around it in the file that it was made from. */
export interface NdjsonHandler extends ItemHandler {
  aux(name: ByteSlice, value: ByteSlice): void;
  /** What a module kept beside its keys, byte for byte. */
  moduleAux(fragment: ByteSlice, last: boolean): void;
  /** Read after every line: true makes the decoder return PAUSE. */
  readonly full: boolean;
}

const LF = 10;
/** Strings of the engine end at 512 Mi units, and a line must become one. */
const LINE_MAX = 400 << 20;
const DATABASES_MAX = 0x7fff_ffff;

/** A value whose lines are going by. */
interface OpenValue {
  readonly kind: ValueKind;
  readonly database: number;
  readonly key: Buffer;
  part: number;
  /** Texts of a value that is one text. */
  readonly texts: Buffer[];
  /** The handler wants the items. */
  readonly wanted: boolean;
  /** Items that are still to come of a value that says how many it has on all its lines; -1: it does not. */
  itemsLeft: number;
  /** Bytes that are still to come of a text that is told line by line; -1: it is told whole. */
  textLeft: number;
}

/**
 * Reads NDJSON line by line. Objects may have further properties, which are ignored, and their properties any order;
 * lines of one value must follow each other.
 */
export class NdjsonDecoder implements Machine {
  /** Lines read so far. */
  line = 0;
  private readonly head = new KeyHead();
  private readonly slice = new ByteSlice();
  private readonly items: ItemTeller;
  private database = -1;
  private open: OpenValue | null = null;
  private scanned = 0;

  /** `lineBytesMax` is smaller only in tests. */
  constructor(
    private readonly handler: NdjsonHandler,
    private readonly lineBytesMax: number = LINE_MAX,
  ) {
    this.items = new ItemTeller(handler);
  }

  run(window: ByteWindow): Progress {
    for (;;) {
      if (this.handler.full) return PAUSE;
      const { bytes, position, end } = window;
      const newline = bytes.indexOf(LF, position + this.scanned);
      // Behind the end of the window stand bytes of before.
      if (newline < 0 || newline >= end) {
        this.scanned = end - position;
        if (this.scanned > this.lineBytesMax) this.failLong(window);
        window.need = this.scanned + 1;
        return NEED;
      }
      if (newline - position > this.lineBytesMax) this.failLong(window);
      this.scanned = 0;
      this.take(window, newline);
      window.position = newline + 1;
    }
  }

  finish(window: ByteWindow): void {
    // The last line may lack its end.
    if (window.position < window.end) {
      this.take(window, window.end);
      window.position = window.end;
    }
    if (this.open !== null) this.fail(window, 'ndjson/unfinished-value', { part: this.open.part });
    if (this.line === 0) this.fail(window, 'ndjson/bad-header', { version: FORMAT_VERSION });
  }

  private take(window: ByteWindow, end: number): void {
    const { bytes, position } = window;
    this.line++;
    const view = bytes.subarray(position, end);
    if (!isUtf8(view)) this.fail(window, 'ndjson/not-utf8');
    const text = bytes.utf8Slice(position, end).trim();
    if (text === '') return;
    try {
      this.record(objectOf(JSON.parse(text), 'line'));
    } catch (error) {
      if (error instanceof SyntaxError) this.fail(window, 'ndjson/bad-json', { why: error.message });
      if (!(error instanceof LineError)) throw error;
      this.fail(window, 'ndjson/bad-line', { field: error.field, form: error.expected });
    }
  }

  private fail(window: ByteWindow, code: string, detail: Record<string, string | number> = {}): never {
    throw new FormatError(code, window.offset, { line: this.line, ...detail });
  }

  private failLong(window: ByteWindow): never {
    this.line++;
    this.fail(window, 'ndjson/line-too-long', { max: this.lineBytesMax });
  }

  private record(object: JsonObject): void {
    if (this.line === 1) {
      this.header(object);
      return;
    }
    if (this.open !== null || property(object, 'part') !== undefined) {
      this.further(object);
    } else if (property(object, 'key') !== undefined) {
      this.key(object);
    } else if (property(object, 'function') !== undefined) {
      this.handler.functionLibrary(this.borrow(bytesOf(property(object, 'function'), 'function')));
    } else if (property(object, 'moduleAux') !== undefined) {
      this.handler.moduleAux(this.borrow(bytesOf(property(object, 'moduleAux'), 'moduleAux')), true);
    } else if (property(object, 'memberExpiry') !== undefined) {
      const [member, time] = arrayOf(property(object, 'memberExpiry'), 'memberExpiry');
      const expiresAtMs = longOf(time, 'memberExpiry[1]');
      this.handler.memberExpiry?.(this.borrow(bytesOf(member, 'memberExpiry[0]')), expiresAtMs);
    } else if (property(object, 'aux') !== undefined) {
      this.aux(property(object, 'aux'), 'aux');
    } else {
      throw new LineError('line', 'an object with "key", "function", "memberExpiry", "moduleAux" or "aux"');
    }
  }

  private header(object: JsonObject): void {
    if (property(object, 'rekindle') !== FORMAT_VERSION) {
      throw new LineError(
        'rekindle',
        `${FORMAT_VERSION}: the first line says which version of NDJSON this is`,
      );
    }
    arrayOf(property(object, 'origin') ?? [], 'origin').forEach((pair, index) => {
      this.aux(pair, `origin[${index}]`);
    });
  }

  private aux(pair: unknown, field: string): void {
    const [name, value] = arrayOf(pair, field);
    const text = bytesOf(value, `${field}[1]`);
    this.handler.aux(this.borrow(bytesOf(name, `${field}[0]`)), new ByteSlice().set(text, 0, text.length));
  }

  private borrow(bytes: Buffer): ByteSlice {
    return this.slice.set(bytes, 0, bytes.length);
  }

  private key(object: JsonObject): void {
    const { handler, head } = this;
    const key = this.fill(object);
    if (head.database !== this.database) handler.database((this.database = head.database));
    const depth = handler.key(head);
    const wanted = depth !== SKIP;
    const textLeft = depth === FRAGMENTS ? head.textBytes : -1;
    const itemsLeft = property(object, 'more') === true ? head.count : -1;
    const { kind, database } = head;
    this.open = { kind, database, key, part: 1, texts: [], wanted, textLeft, itemsLeft };
    this.value(object, this.open);
  }

  /** Takes what a line says of its key. Returns the key's name. */
  private fill(object: JsonObject): Buffer {
    const { head } = this;
    const more = property(object, 'more') === true;
    const key = bytesOf(property(object, 'key'), 'key');
    const value = property(object, 'value');
    head.database = countOf(property(object, 'db') ?? 0, 'db', DATABASES_MAX);
    head.key.set(key, 0, key.length);
    head.kind = kindOf(property(object, 'type'));
    head.encoding = '';
    head.typeId = -1;
    const expiry = property(object, 'expiresAtMs') ?? null;
    head.hasExpiry = expiry !== null;
    head.expiresAtMs = expiry === null ? 0 : longOf(expiry, 'expiresAtMs');
    head.idleSeconds = hintOf(object, 'idleSeconds', Number.MAX_SAFE_INTEGER);
    head.freq = hintOf(object, 'freq', 255);
    head.moduleName = head.kind === 'module' ? latin1Of(property(object, 'module'), 'module') : '';
    head.opaque = head.kind === 'module';
    const metadata = property(object, 'metadata');
    head.metadata = metadata === undefined ? null : bytesOf(metadata, 'metadata');
    head.count = countedItems(object, head.kind, value, more);
    const textBytes = head.kind === 'string' ? property(object, 'bytes') : undefined;
    head.textBytes = textBytes === undefined ? -1 : countOf(textBytes, 'bytes');
    head.fieldsExpire =
      head.kind === 'hash' &&
      (property(object, 'fieldsExpire') === true || (Array.isArray(value) && value.some(hasExpiry)));
    return key;
  }

  /** A line on which a value goes on. */
  private further(object: JsonObject): void {
    const { open } = this;
    if (open === null) throw new LineError('part', 'no part of a value that was not begun with "more": true');
    const key = bytesOf(property(object, 'key'), 'key');
    const database = countOf(property(object, 'db') ?? 0, 'db', DATABASES_MAX);
    const same = database === open.database && key.equals(open.key);
    if (!same || property(object, 'part') !== open.part + 1) {
      throw new LineError('part', `part ${open.part + 1} of the value that the line before began`);
    }
    open.part++;
    this.head.key.set(open.key, 0, open.key.length);
    this.value(object, open);
  }

  private value(object: JsonObject, open: OpenValue): void {
    const value = property(object, 'value');
    if (LISTED_KINDS.has(open.kind)) {
      if (open.itemsLeft >= 0) this.countItems(open, value, property(object, 'more') === true);
      if (open.wanted) this.items.tell(open.kind, value);
      else arrayOf(value, 'value');
    } else if (open.textLeft >= 0) {
      this.tellFragment(open, bytesOf(value, 'value'), property(object, 'more') === true);
    } else {
      open.texts.push(this.textOf(open.kind, value));
    }
    if (property(object, 'more') === true) return;
    if (open.wanted && open.texts.length > 0) this.tellText(open);
    this.open = null;
    this.handler.keyEnd(this.head);
  }

  /** Whoever listens has been told how many items come: it must be those. */
  private countItems(open: OpenValue, value: unknown, more: boolean): void {
    open.itemsLeft -= arrayOf(value, 'value').length;
    if (open.itemsLeft < 0 || (!more && open.itemsLeft > 0)) {
      throw new LineError('value', `${this.head.count} items on all lines together, as "count" says`);
    }
  }

  /** Whoever listens has been told how long the text is: it must be that. */
  private tellFragment(open: OpenValue, bytes: Buffer, more: boolean): void {
    open.textLeft -= bytes.length;
    if (open.textLeft < 0 || (!more && open.textLeft > 0)) {
      throw new LineError('value', `texts of ${this.head.textBytes} bytes together, as "bytes" says`);
    }
    this.handler.text(this.borrow(bytes));
  }

  private textOf(kind: ValueKind, value: unknown): Buffer {
    const bytes = bytesOf(value, 'value');
    if (kind === 'gcra' && !/^-?\d{1,19}$/.test(bytes.latin1Slice())) throw new LineError('value', 'digits');
    return bytes;
  }

  private tellText({ kind, texts }: OpenValue): void {
    const bytes = texts.length === 1 ? texts[0]! : Buffer.concat(texts);
    if (kind === 'module') this.handler.raw(this.borrow(bytes));
    else this.handler.text(this.borrow(bytes));
  }
}

const COUNTED = /^(list|set|zset|hash)$/;

const hasExpiry = (pair: unknown): boolean => Array.isArray(pair) && pair.length > 2;

/** How many items a value has, -1 when nobody knows before its last line. Where it stands on one line they are counted. */
function countedItems(object: JsonObject, kind: ValueKind, value: unknown, more: boolean): number {
  if (!COUNTED.test(kind) || !Array.isArray(value)) return -1;
  if (!more) return value.length;
  const count = property(object, 'count');
  return count === undefined ? -1 : countOf(count, 'count');
}

/** An eviction hint; -1: the line has none. */
function hintOf(object: JsonObject, name: string, max: number): number {
  const value = property(object, name);
  return value === undefined ? -1 : countOf(value, name, max);
}

function kindOf(type: unknown): ValueKind {
  if (typeof type === 'string' && Object.hasOwn(OBJECT_TYPE, type)) return type as ValueKind;
  throw new LineError('type', `one of ${Object.keys(OBJECT_TYPE).join(', ')}`);
}

function latin1Of(value: unknown, field: string): string {
  const bytes = bytesOf(value, field);
  return bytes.latin1Slice(0, bytes.length);
}
