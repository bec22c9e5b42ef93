import { GrowingBytes } from '../../bytes/growing-bytes.js';

/** Texts kept back to back while the form of their value is undecided, each with a number beside it. */
export class ItemStore {
  count = 0;
  private readonly packed = new GrowingBytes();
  private ends = new Float64Array(64);
  private numbers = new Float64Array(64);

  reset(): void {
    this.count = 0;
    this.packed.reset();
  }

  /** Bytes of all texts. */
  get size(): number {
    return this.packed.end;
  }

  /** Memory the texts are in; changes when one is added. */
  get bytes(): Buffer {
    return this.packed.bytes;
  }

  add(bytes: Buffer, start: number, end: number, number = 0): void {
    if (this.count === this.ends.length) {
      this.ends = doubled(this.ends);
      this.numbers = doubled(this.numbers);
    }
    this.packed.put(bytes, start, end);
    this.ends[this.count] = this.packed.end;
    this.numbers[this.count++] = number;
  }

  start(i: number): number {
    return i === 0 ? 0 : this.ends[i - 1]!;
  }

  end(i: number): number {
    return this.ends[i]!;
  }

  number(i: number): number {
    return this.numbers[i]!;
  }

  /** Order of two texts by their bytes. */
  compare(a: number, b: number): number {
    return this.bytes.compare(this.bytes, this.start(b), this.end(b), this.start(a), this.end(a));
  }
}

function doubled(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
