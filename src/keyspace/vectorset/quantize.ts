import { viewOf } from '../bytes.js';
import { BINARY, FP32 } from './rows.js';

/** What a byte of a vector reaches to. */
const BYTE_MAX = 127;

const { fround } = Math;

/** What stands beside a vector that was packed. */
export const measures = { range: 0, norm: 1 };

/**
 * Normalizes a vector in place and writes it as servers hold it: every step is rounded to a float, in the order of their
 * own loops without vector instructions that fuse steps. `measures` says what was lost.
 */
export function packVector(vector: Float32Array, quantization: number, into: Buffer, at: number): void {
  measures.range = 0;
  measures.norm = normalize(vector);
  if (quantization === FP32) writeFloats(vector, into, at);
  else if (quantization === BINARY) writeSigns(vector, into, at);
  else measures.range = writeBytes(vector, into, at);
}

/** Returns the length before; 1 for one that vanishes, which stays as it is. */
function normalize(x: Float32Array): number {
  let sum = 0;
  let i = 0;
  for (const last = x.length - 3; i < last; i += 4) {
    const a = x[i]!;
    const b = x[i + 1]!;
    const c = x[i + 2]!;
    const d = x[i + 3]!;
    const four = fround(fround(fround(fround(a * a) + fround(b * b)) + fround(c * c)) + fround(d * d));
    sum = fround(sum + four);
  }
  for (; i < x.length; i++) sum = fround(sum + fround(x[i]! * x[i]!));
  if (sum === 0) return 1;
  const norm = fround(Math.sqrt(sum));
  for (i = 0; i < x.length; i++) x[i] = x[i]! / norm;
  return norm;
}

function writeFloats(x: Float32Array, into: Buffer, at: number): void {
  for (let i = 0; i < x.length; i++) into.writeFloatLE(x[i]!, at + 4 * i);
}

function writeSigns(x: Float32Array, into: Buffer, at: number): void {
  into.fill(0, at, at + Math.ceil(x.length / 64) * 8);
  for (let i = 0; i < x.length; i++) if (x[i]! > 0) into[at + (i >> 3)]! |= 1 << (i & 7);
}

/** Returns what BYTE_MAX stands for. */
function writeBytes(x: Float32Array, into: Buffer, at: number): number {
  let range = 0;
  for (let i = 0; i < x.length; i++) {
    if (x[i]! > range) range = x[i]!;
    if (-x[i]! > range) range = -x[i]!;
  }
  if (range === 0) {
    into.fill(0, at, at + x.length);
    return 0;
  }
  const scale = fround(BYTE_MAX / range);
  for (let i = 0; i < x.length; i++) into[at + i] = byteOf(fround(x[i]! * scale));
  return range;
}

/** Rounded half away from zero; what is no integer of 32 bits becomes 0. */
function byteOf(value: number): number {
  const whole = Math.trunc(value);
  const rounded = Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
  return Math.abs(rounded) < 2 ** 31 ? rounded & 0xff : 0;
}

/** The matrix by which servers take a vector to fewer numbers: signs of a Hadamard matrix, scaled. */
export function projectionMatrix(from: number, to: number): Buffer {
  const scale = fround(1 / Math.sqrt(from));
  const matrix = Buffer.allocUnsafeSlow(from * to * 4);
  for (let i = 0, at = 0; i < to; i++) {
    for (let j = 0; j < from; j++, at += 4) matrix.writeFloatLE(hasOddBits(i & j) ? -scale : scale, at);
  }
  return matrix;
}

function hasOddBits(word: number): boolean {
  let bits = word ^ (word >>> 16);
  bits ^= bits >>> 8;
  bits ^= bits >>> 4;
  return ((0x6996 >>> (bits & 15)) & 1) === 1;
}

/** A vector taken to fewer numbers, each sum in the order of the servers' own. */
export function project(vector: Float32Array, matrix: Buffer, to: number): Float32Array {
  const from = vector.length;
  const projected = new Float32Array(to);
  const view = viewOf(matrix);
  for (let i = 0, at = 0; i < to; i++) {
    let sum = 0;
    for (let j = 0; j < from; j++, at += 4)
      sum = fround(sum + fround(view.getFloat32(at, true) * vector[j]!));
    projected[i] = sum;
  }
  return projected;
}
