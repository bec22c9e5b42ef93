import { BINARY, FP32, type VectorRows } from './rows.js';

const BYTE_MAX = 127;

/** How far the vectors of a set are from each other: 0 the same, 2 opposite. The set must not change meanwhile. */
export class Distances {
  private readonly floats: Float32Array[] = [];
  private readonly bytes: Int8Array[] = [];
  private readonly words: Int32Array[] = [];
  private readonly length: number;

  constructor(private readonly rows: VectorRows) {
    const { dimensions, quantization } = rows.shape;
    const shift = rows.chunkShift;
    for (let chunk = 0; chunk < rows.chunkCount; chunk++) {
      const { buffer, byteOffset, length } = rows.bytesOf(chunk << shift);
      if (quantization === FP32) this.floats.push(new Float32Array(buffer, byteOffset, length >> 2));
      else if (quantization === BINARY) this.words.push(new Int32Array(buffer, byteOffset, length >> 2));
      else this.bytes.push(new Int8Array(buffer, byteOffset, length));
    }
    this.length = quantization === BINARY ? Math.ceil(dimensions / 64) * 2 : dimensions;
  }

  between(a: number, b: number): number {
    const { rows } = this;
    const shift = rows.chunkShift;
    const x = a >>> shift;
    const y = b >>> shift;
    const { quantization, dimensions } = rows.shape;
    if (quantization === FP32) {
      return (
        1 - this.floatProduct(this.floats[x]!, rows.startOf(a) >> 2, this.floats[y]!, rows.startOf(b) >> 2)
      );
    }
    if (quantization === BINARY) {
      const differing = this.differing(
        this.words[x]!,
        rows.startOf(a) >> 2,
        this.words[y]!,
        rows.startOf(b) >> 2,
      );
      return (differing * 2) / dimensions;
    }
    const scale = (rows.rangeAt(a) / BYTE_MAX) * (rows.rangeAt(b) / BYTE_MAX);
    const product = this.byteProduct(this.bytes[x]!, rows.startOf(a), this.bytes[y]!, rows.startOf(b));
    return Math.min(2, Math.max(0, 1 - product * scale));
  }

  private floatProduct(x: Float32Array, i: number, y: Float32Array, j: number): number {
    let sum = 0;
    for (const end = i + this.length; i < end; i++, j++) sum += x[i]! * y[j]!;
    return sum;
  }

  private byteProduct(x: Int8Array, i: number, y: Int8Array, j: number): number {
    let sum = 0;
    for (const end = i + this.length; i < end; i++, j++) sum += x[i]! * y[j]!;
    return sum;
  }

  private differing(x: Int32Array, i: number, y: Int32Array, j: number): number {
    let sum = 0;
    for (const end = i + this.length; i < end; i++, j++) sum += bitsOf(x[i]! ^ y[j]!);
    return sum;
  }
}

function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
