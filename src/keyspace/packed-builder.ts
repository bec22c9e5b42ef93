import { copyBytes, hashBytes } from './bytes.js';
import { elementSize, frameElement } from './large-list.js';
import { DOUBLE_SIZE, headerSize, writeDouble, writeLength } from './packed.js';

/** Items of one value: no packed form holds more. */
const COUNT_MAX = 256;
const SLOTS = 1024;
const SLOT_MASK = SLOTS - 1;

/**
 * Puts the bytes of a packed collection together before it gets its record, so that a value that comes element by
 * element is written once. It takes what is surely new and fits; the rest is for the verbs of the collection.
 */
export class PackedBuilder {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(8192);
  length = 0;
  count = 0;
  /** Hashes of the items, open addressed; a slot counts if its stamp is that of the value at hand. */
  private readonly hashes = new Int32Array(SLOTS);
  private readonly stamps = new Int32Array(SLOTS);
  private stamp = 0;

  begin(): void {
    this.length = this.count = 0;
    this.stamp = (this.stamp + 1) | 0;
  }

  /** True when an item of `size` bytes in all can be added, and its name is like none before. */
  takes(size: number, limit: number, name: Buffer, start: number, end: number): boolean {
    return this.fits(size, limit) && this.isNew(hashBytes(name, start, end));
  }

  fits(size: number, limit: number): boolean {
    return this.count < COUNT_MAX && this.length + size <= Math.min(limit, this.bytes.length);
  }

  private isNew(hash: number): boolean {
    const { hashes, stamps, stamp } = this;
    let slot = hash & SLOT_MASK;
    for (; stamps[slot] === stamp; slot = (slot + 1) & SLOT_MASK) if (hashes[slot] === hash) return false;
    stamps[slot] = stamp;
    hashes[slot] = hash;
    return true;
  }

  /** One part of an item: a name, a value, a member. */
  part(bytes: Buffer, start: number, end: number): void {
    const at = writeLength(this.bytes, this.length, end - start);
    copyBytes(bytes, start, end, this.bytes, at);
    this.length = at + end - start;
  }

  /** A score or an expiry. */
  double(value: number): void {
    writeDouble(this.bytes, this.length, value);
    this.length += DOUBLE_SIZE;
  }

  /** An element of a list. */
  element(bytes: Buffer, start: number, end: number): void {
    const at = frameElement(this.bytes, this.length, end - start);
    copyBytes(bytes, start, end, this.bytes, at);
    this.length += elementSize(end - start);
  }
}

/** Bytes that a part takes. */
export function partSize(length: number): number {
  return headerSize(length) + length;
}
