import { type Long, normalLong, signedLong, unsignedLong } from '../../bytes/int64.js';

/** What a chunk says of its first sample and of how many there are. */
export interface ChunkStart {
  readonly count: number;
  readonly timestamp: Long;
  /** The bits of the first value. */
  readonly valueHigh: number;
  readonly valueLow: number;
  /** Bits of the data that hold samples. */
  readonly bits: number;
}

/** Takes the samples of a chunk one by one. */
export type SampleSink = (timestamp: Long, value: number) => void;

/** Bits of the change of a timestamp's step, by how many ones stand before the first zero; six ones: 64. */
const STEP_BITS = [0, 5, 8, 11, 15, 32] as const;
const LEADING_BITS = 5;
const BLOCK_BITS = 6;

/**
 * Samples compressed as RedisTimeSeries does it after Facebook's Gorilla: of timestamps the change of the step between
 * them, of values the bits that differ from the value before. Bits are read from the lowest of each byte up.
 *
 * @returns false when the bits are no samples, or not all of them
 */
export function readCompressedSamples(data: Buffer, start: ChunkStart, sink: SampleSink): boolean {
  if (start.count === 0) return true;
  const bits = new BitReader(data, start.bits);
  const steps = new StepReader(bits, start.timestamp);
  const values = new ValueReader(bits, start.valueHigh, start.valueLow);
  sink(start.timestamp, values.value);
  for (let i = 1; i < start.count; i++) {
    steps.next();
    values.next();
    if (bits.failed) return false;
    sink(steps.timestamp, values.value);
  }
  return true;
}

class BitReader {
  /** Whether bits were wanted that are not there, or made no sense. */
  failed = false;
  private position = 0;

  constructor(
    private readonly data: Buffer,
    private readonly end: number,
  ) {}

  /** One bit; 0 behind the end. */
  bit(): number {
    const { position } = this;
    if (position >= this.end) {
      this.failed = true;
      return 0;
    }
    this.position = position + 1;
    return (this.data[position >>> 3]! >> (position & 7)) & 1;
  }

  /** Up to 32 bits as an unsigned number; 0 behind the end. */
  read(count: number): number {
    const stop = this.position + count;
    if (stop > this.end) {
      this.failed = true;
      return 0;
    }
    const { data } = this;
    const inside = this.position & 7;
    let at = this.position >>> 3;
    this.position = stop;
    let value = data[at]! >>> inside;
    for (let done = 8 - inside; done < count; done += 8) value |= data[++at]! << done;
    return count === 32 ? value >>> 0 : (value & ((1 << count) - 1)) >>> 0;
  }
}

/** Timestamps. */
class StepReader {
  private step: Long = 0;

  constructor(
    private readonly bits: BitReader,
    public timestamp: Long,
  ) {}

  next(): void {
    const change = this.change();
    if (change !== 0) this.step = signed(this.step, change);
    const { timestamp, step } = this;
    if (typeof timestamp === 'number' && typeof step === 'number') {
      const sum = timestamp + step;
      if (sum >= 0 && sum <= Number.MAX_SAFE_INTEGER) {
        this.timestamp = sum;
        return;
      }
    }
    this.timestamp = normalLong(BigInt.asUintN(64, BigInt(timestamp) + BigInt(step)));
  }

  private change(): Long {
    const { bits } = this;
    let ones = 0;
    while (ones < STEP_BITS.length && bits.bit() === 1) ones++;
    if (ones === 0) return 0;
    if (ones === STEP_BITS.length) {
      const low = bits.read(32);
      return signedLong(bits.read(32), low);
    }
    const width = STEP_BITS[ones]!;
    const value = bits.read(width);
    return value >= 2 ** (width - 1) ? value - 2 ** width : value;
  }
}

/** The sum of two numbers of 64 bits with a sign, as C has it: around the corner. */
function signed(a: Long, b: Long): Long {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return normalLong(BigInt.asIntN(64, BigInt(a) + BigInt(b)));
}

const words = new DataView(new ArrayBuffer(8));

/** Values, as two words. */
class ValueReader {
  value = 0;
  /** Bits of the last block that differed, and the zeros below it. */
  private block = 0;
  private trailing = 0;

  constructor(
    private readonly bits: BitReader,
    private high: number,
    private low: number,
  ) {
    this.toValue();
  }

  next(): void {
    const { bits } = this;
    if (bits.bit() === 0) return;
    if (bits.bit() === 1) {
      const leading = bits.read(LEADING_BITS);
      this.block = bits.read(BLOCK_BITS) + 1;
      this.trailing = 64 - leading - this.block;
      if (this.trailing < 0) {
        bits.failed = true;
        return;
      }
    }
    this.differ();
    this.toValue();
  }

  /** Reads the bits of a block and changes those of the value. */
  private differ(): void {
    const { bits, block, trailing } = this;
    const low = bits.read(Math.min(block, 32));
    const high = block > 32 ? bits.read(block - 32) : 0;
    if (trailing >= 32) {
      this.high ^= trailing === 32 ? low : low << (trailing - 32);
    } else if (trailing > 0) {
      this.high ^= (high << trailing) | (low >>> (32 - trailing));
      this.low ^= low << trailing;
    } else {
      this.high ^= high;
      this.low ^= low;
    }
  }

  private toValue(): void {
    words.setInt32(0, this.high);
    words.setInt32(4, this.low);
    this.value = words.getFloat64(0);
  }
}

/** The unsigned number that eight bytes of memory are, little endian. */
export function longAt(bytes: Buffer, at: number): Long {
  return unsignedLong(bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at));
}
