import { type Long, unsignedLong } from '../bytes/int64.js';

/** A stream entry's id: milliseconds and sequence, each as two unsigned 32-bit words. Immutable. */
export interface StreamId {
  readonly msHigh: number;
  readonly msLow: number;
  readonly seqHigh: number;
  readonly seqLow: number;
}

export const ZERO_ID: StreamId = { msHigh: 0, msLow: 0, seqHigh: 0, seqLow: 0 };

export function compareIds(a: StreamId, b: StreamId): number {
  return a.msHigh - b.msHigh || a.msLow - b.msLow || a.seqHigh - b.seqHigh || a.seqLow - b.seqLow;
}

export const idMs = (id: StreamId): Long => unsignedLong(id.msHigh, id.msLow);
export const idSeq = (id: StreamId): Long => unsignedLong(id.seqHigh, id.seqLow);

/** `ms-seq` in decimal, or with another separator (DEBUG DIGEST uses a dot). */
export function formatId(id: StreamId, separator = '-'): string {
  return `${idMs(id)}${separator}${idSeq(id)}`;
}

/** Reads sixteen bytes, both halves big endian: the form of stream node keys and pending entries. */
export function readId(bytes: Buffer, at: number): StreamId {
  return {
    msHigh: bytes.readUInt32BE(at),
    msLow: bytes.readUInt32BE(at + 4),
    seqHigh: bytes.readUInt32BE(at + 8),
    seqLow: bytes.readUInt32BE(at + 12),
  };
}

/** The inverse of `readId`. */
export function writeId(id: StreamId, bytes: Buffer, at: number): void {
  bytes.writeUInt32BE(id.msHigh, at);
  bytes.writeUInt32BE(id.msLow, at + 4);
  bytes.writeUInt32BE(id.seqHigh, at + 8);
  bytes.writeUInt32BE(id.seqLow, at + 12);
}

/** An id of two 64-bit halves, taken modulo 2^64. */
export function idOf(ms: Long, seq: Long): StreamId {
  const a = BigInt.asUintN(64, BigInt(ms));
  const b = BigInt.asUintN(64, BigInt(seq));
  return {
    msHigh: Number(a >> 32n),
    msLow: Number(a & 0xffffffffn),
    seqHigh: Number(b >> 32n),
    seqLow: Number(b & 0xffffffffn),
  };
}
