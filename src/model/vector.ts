import type { PackedVector, VectorSetShape } from './handler.js';

/** What one byte of a `q8` vector reaches to. */
const BYTE_MAX = 127;

/**
 * The numbers of a vector as they were added, as exactly as the set kept them. Of a binary one only signs are left: 1 and
 * -1. The blob must have the bytes that the shape asks for.
 */
export function unpackVector(
  { dimensions, quantization }: Pick<VectorSetShape, 'dimensions' | 'quantization'>,
  { blob, range, norm }: PackedVector,
): number[] {
  const { bytes, start } = blob;
  if (quantization === 'fp32') {
    return Array.from({ length: dimensions }, (_, i) => bytes.readFloatLE(start + 4 * i) * norm);
  }
  if (quantization === 'q8') {
    const unit = (range / BYTE_MAX) * norm;
    return Array.from({ length: dimensions }, (_, i) => bytes.readInt8(start + i) * unit);
  }
  return Array.from({ length: dimensions }, (_, i) => {
    // Words of 64 bits, little endian: bit 9 is bit 1 of byte 1.
    return (bytes[start + (i >> 3)]! & (1 << (i & 7))) === 0 ? -1 : 1;
  });
}

/** Bytes of one vector as it is held. */
export function vectorBytes(dimensions: number, quantization: VectorSetShape['quantization']): number {
  if (quantization === 'fp32') return 4 * dimensions;
  return quantization === 'q8' ? dimensions : 8 * Math.ceil(dimensions / 64);
}
