import { ByteSlice } from '../../bytes/slice.js';

/** How a number of a vector is held: four bytes, one byte, one bit. */
export const FP32 = 0;
export const Q8 = 1;
export const BINARY = 2;

/** What all vectors of a set have in common, for good. */
export interface VectorSetShape {
  readonly dimensions: number;
  readonly quantization: number;
  /** Links of one node on each level of the graph; twice as many on the lowest. */
  readonly links: number;
  /** Numbers in each vector as it is given; 0: not projected. */
  readonly projectedFrom: number;
  /** The rows that project them to `dimensions` numbers, little-endian floats; null: none do. */
  readonly matrix: Buffer | null;
}

/** Bytes of one chunk of vectors, about. */
const CHUNK_BYTES = 256 * 1024;
const ROWS_FIRST = 4;

/**
 * Elements with their vectors as they are held, by row. A row keeps its number until its element is removed; freed
 * numbers are used again. Names and attributes are texts of one byte per character.
 */
export class VectorRows {
  /** Rows ever used: all live rows are below. */
  end = 0;
  readonly vectorBytes: number;
  private readonly rowOf = new Map<string, number>();
  private readonly names: (string | null)[] = [];
  private readonly attributes: (string | null)[] = [];
  private readonly free: number[] = [];
  private ranges = new Float32Array(ROWS_FIRST);
  private norms = new Float32Array(ROWS_FIRST);
  /** log2 of the rows of one chunk. */
  private readonly shift: number;
  /** All of full size but a single one. */
  private readonly chunks: Buffer[] = [];
  private attributed = 0;

  constructor(readonly shape: VectorSetShape) {
    const { dimensions, quantization } = shape;
    this.vectorBytes =
      quantization === FP32
        ? dimensions * 4
        : quantization === Q8
          ? dimensions
          : Math.ceil(dimensions / 64) * 8;
    this.shift = Math.max(0, 31 - Math.clz32(Math.floor(CHUNK_BYTES / this.vectorBytes)));
  }

  get size(): number {
    return this.rowOf.size;
  }

  /** Whether any element has attributes. */
  get hasAttributes(): boolean {
    return this.attributed > 0;
  }

  /** The row of an element, or -1. */
  find(name: string): number {
    return this.rowOf.get(name) ?? -1;
  }

  isLive(row: number): boolean {
    return this.names[row] !== null;
  }

  /** Adds an element known to be absent; its vector is arbitrary, and it has no attributes. Returns its row. */
  add(name: string): number {
    const row = this.free.pop() ?? this.end++;
    this.rowOf.set(name, row);
    this.names[row] = name;
    this.attributes[row] = null;
    if (row >= this.ranges.length) {
      this.ranges = doubled(this.ranges);
      this.norms = doubled(this.norms);
    }
    this.reach(row);
    return row;
  }

  /** Makes sure that there are bytes for a row's vector. */
  private reach(row: number): void {
    const { chunks, shift, vectorBytes } = this;
    const chunk = row >>> shift;
    if (chunk > 0) {
      if (chunk === 1) this.resizeFirst(1 << shift);
      if (chunks[chunk] === undefined) chunks[chunk] = Buffer.allocUnsafeSlow(vectorBytes << shift);
      return;
    }
    const rows = (chunks[0]?.length ?? 0) / vectorBytes;
    if (row >= rows) this.resizeFirst(Math.min(Math.max(ROWS_FIRST, rows * 2), 1 << shift));
  }

  private resizeFirst(rows: number): void {
    const bytes = rows * this.vectorBytes;
    const before = this.chunks[0];
    if (before !== undefined && before.length >= bytes) return;
    const first = Buffer.allocUnsafeSlow(bytes);
    before?.copy(first);
    this.chunks[0] = first;
  }

  remove(row: number): void {
    this.setAttributes(row, null);
    this.rowOf.delete(this.nameAt(row));
    this.names[row] = null;
    this.free.push(row);
  }

  nameAt(row: number): string {
    return this.names[row]!;
  }

  /** Null: none. An empty text is not quite that, until it was saved: it counts in DEBUG DIGEST. */
  attributesAt(row: number): string | null {
    return this.attributes[row]!;
  }

  setAttributes(row: number, text: string | null): void {
    this.attributed += Number(text !== null) - Number(this.attributes[row] !== null);
    this.attributes[row] = text;
  }

  /** The chunk that holds a row's vector, from `startOf` on. The same for rows that agree above `chunkShift`. */
  bytesOf(row: number): Buffer {
    return this.chunks[row >>> this.shift]!;
  }

  startOf(row: number): number {
    return (row & ((1 << this.shift) - 1)) * this.vectorBytes;
  }

  get chunkShift(): number {
    return this.shift;
  }

  get chunkCount(): number {
    return this.chunks.length;
  }

  vectorAt(row: number, into: ByteSlice): ByteSlice {
    const start = this.startOf(row);
    return into.set(this.bytesOf(row), start, start + this.vectorBytes);
  }

  /** What 127 stands for in a vector of single bytes. */
  rangeAt(row: number): number {
    return this.ranges[row]!;
  }

  /** The vector's length before it was normalized. */
  normAt(row: number): number {
    return this.norms[row]!;
  }

  setMeasures(row: number, range: number, norm: number): void {
    this.ranges[row] = range;
    this.norms[row] = norm;
  }

  clone(): VectorRows {
    const copy = new VectorRows(this.shape);
    const slice = new ByteSlice();
    // Row by row and gaps included, so that rows keep their numbers.
    for (let row = 0; row < this.end; row++) {
      copy.reach(row);
      const { bytes, start, end } = this.vectorAt(row, slice);
      bytes.copy(copy.bytesOf(row), copy.startOf(row), start, end);
      const name = this.names[row]!;
      copy.names.push(name);
      copy.attributes.push(this.attributes[row] ?? null);
      if (name !== null) copy.rowOf.set(name, row);
    }
    copy.end = this.end;
    copy.free.push(...this.free);
    copy.ranges = this.ranges.slice();
    copy.norms = this.norms.slice();
    copy.attributed = this.attributed;
    return copy;
  }
}

function doubled(floats: Float32Array): Float32Array<ArrayBuffer> {
  const larger = new Float32Array(floats.length * 2);
  larger.set(floats);
  return larger;
}
