import { ByteSlice } from '../../bytes/slice.js';
import { END, NEED, PAUSE, type Progress } from '../../bytes/window.js';
import { type ErrorDetail, FormatError } from '../../errors.js';
import { vectorBytes } from '../../model/vector.js';
import type { ItemOutput, ValueWalk } from '../codec.js';
import { MODULE_END, MODULE_STRING, MODULE_UINT } from '../constants.js';
import { type Cursor, SHORT } from '../cursor.js';
import { TextReader } from '../text.js';

const QUANTIZATIONS = ['fp32', 'q8', 'binary'] as const;
const DIMENSIONS_MAX = 65536;
/** Links of sets that were saved before the number was. */
const LINKS_BEFORE = 16;
const HAS_PROJECTION = 1;
const HAS_ATTRIBUTES = 2;
/** Id and level, and the range beside the length. */
const PARAMETERS_MIN = 3;

const EMPTY = new ByteSlice();

/** Where a vector set is being read. */
export class VectorSetWalk {
  private headRead = false;
  private left = 0;
  private blobBytes = 0;
  private attributed = false;
  private projectedFrom = 0;
  private readonly element: TextReader;
  private readonly attributes: TextReader;
  private readonly blob: TextReader;
  private readonly fragment = new ByteSlice();
  private readonly floats = Buffer.alloc(8);
  private readonly vector: { blob: ByteSlice; range: number; norm: number };

  constructor(stringBytesMax: number) {
    this.element = new TextReader(stringBytesMax);
    this.attributes = new TextReader(stringBytesMax);
    this.blob = new TextReader(stringBytesMax);
    this.vector = { blob: this.blob.slice, range: 0, norm: 0 };
  }

  begin(): void {
    this.headRead = false;
  }

  run(walk: ValueWalk, cursor: Cursor, out: ItemOutput): Progress {
    if (!this.headRead) {
      if (!this.readHead(cursor, out)) return NEED;
      walk.index = 0;
    }
    while (this.left > 0) {
      if (!this.readElement(cursor, out)) return NEED;
      walk.index++;
      if (out.full) return PAUSE;
    }
    const at = cursor.length(cursor.position);
    if (at === SHORT) return NEED;
    if (cursor.value !== MODULE_END)
      throw bad(cursor, cursor.position, { reason: 'no-end', tag: cursor.value });
    this.pass(cursor, at, out);
    return END;
  }

  /** Hands over the bytes up to a position as they stand. */
  private pass(cursor: Cursor, to: number, out: ItemOutput): void {
    out.raw(this.fragment.set(cursor.bytes, cursor.position, to));
    cursor.position = to;
  }

  private readHead(cursor: Cursor, out: ItemOutput): boolean {
    const shapeAt = cursor.length(cursor.position);
    if (shapeAt === SHORT) return false;
    let at = number(cursor, shapeAt);
    if (at === SHORT) return false;
    const dimensions = cursor.value;
    if (dimensions === 0 || dimensions > DIMENSIONS_MAX) {
      throw bad(cursor, shapeAt, { reason: 'dimensions-out-of-range', dimensions });
    }
    at = number(cursor, at);
    if (at === SHORT) return false;
    const elements = cursor.long();
    const settingsAt = at;
    at = number(cursor, at);
    if (at === SHORT) return false;
    const quantization = QUANTIZATIONS[cursor.value % 256];
    if (quantization === undefined) throw bad(cursor, settingsAt, { reason: 'unknown-quantization' });
    const links = Math.floor(cursor.value / 256) % 65536 || LINKS_BEFORE;
    at = number(cursor, at);
    if (at === SHORT) return false;
    const flags = cursor.value;
    this.projectedFrom = 0;
    if ((flags & HAS_PROJECTION) !== 0) {
      at = this.readProjection(cursor, at, dimensions);
      if (at === SHORT) return false;
    }
    this.attributed = (flags & HAS_ATTRIBUTES) !== 0;
    this.blobBytes = vectorBytes(dimensions, quantization);
    this.left = Number(elements);
    this.headRead = true;
    this.pass(cursor, at, out);
    out.vectorSet({ dimensions, elements, quantization, links, projectedFrom: this.projectedFrom });
    return true;
  }

  private readProjection(cursor: Cursor, start: number, dimensions: number): number {
    const matrixAt = number(cursor, start);
    if (matrixAt === SHORT) return SHORT;
    const from = cursor.value;
    if (from < dimensions || from > DIMENSIONS_MAX) {
      throw bad(cursor, start, { reason: 'projection-out-of-range', dimensions: from });
    }
    const at = text(cursor, matrixAt, this.blob);
    if (at === SHORT) return SHORT;
    const { length } = this.blob.slice;
    if (length !== 4 * from * dimensions) throw bad(cursor, matrixAt, { reason: 'projection-size', length });
    this.projectedFrom = from;
    return at;
  }

  private readElement(cursor: Cursor, out: ItemOutput): boolean {
    let at = text(cursor, cursor.position, this.element);
    if (at === SHORT) return false;
    if (this.attributed) {
      at = text(cursor, at, this.attributes);
      if (at === SHORT) return false;
    }
    const blobAt = at;
    at = text(cursor, at, this.blob);
    if (at === SHORT) return false;
    const { length } = this.blob.slice;
    if (length !== this.blobBytes) {
      throw bad(cursor, blobAt, { reason: 'vector-size', length, expected: this.blobBytes });
    }
    at = this.readParameters(cursor, at);
    if (at === SHORT) return false;
    this.pass(cursor, at, out);
    out.vector(this.element.slice, this.attributed ? this.attributes.slice : EMPTY, this.vector);
    this.left--;
    return true;
  }

  /** The node's place in the graph, which is passed over, and behind it what the vector was before it was packed. */
  private readParameters(cursor: Cursor, start: number): number {
    let at = number(cursor, start);
    if (at === SHORT) return SHORT;
    const count = cursor.value;
    if (count < PARAMETERS_MIN) throw bad(cursor, start, { reason: 'too-few-parameters', count });
    for (let i = 0; i < count; i++) {
      at = number(cursor, at);
      if (at === SHORT) return SHORT;
    }
    const { floats, vector } = this;
    cursor.words(floats);
    vector.range = floats.readFloatBE(0);
    vector.norm = floats.readFloatBE(4);
    return at;
  }
}

/** A field that holds a number: read into the cursor. */
function number(cursor: Cursor, at: number): number {
  const valueAt = cursor.length(at);
  if (valueAt === SHORT) return SHORT;
  if (cursor.value !== MODULE_UINT) throw bad(cursor, at, { reason: 'not-a-number', tag: cursor.value });
  return cursor.length(valueAt);
}

/** A field that holds a text. */
function text(cursor: Cursor, at: number, into: TextReader): number {
  const valueAt = cursor.length(at);
  if (valueAt === SHORT) return SHORT;
  if (cursor.value !== MODULE_STRING) throw bad(cursor, at, { reason: 'not-a-string', tag: cursor.value });
  return into.read(cursor, valueAt);
}

function bad(cursor: Cursor, at: number, detail: ErrorDetail): FormatError {
  return new FormatError('rdb/bad-vector-set', cursor.offsetOf(at), detail);
}
