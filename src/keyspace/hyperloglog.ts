/**
 * HyperLogLog strings, byte for byte as the servers keep them: a header of sixteen bytes, then 16384 registers of six
 * bits (dense) or opcodes for runs of registers (sparse). Everything works on a range of bytes that holds the string.
 */

const HEADER = 16;
const REGISTERS = 16384;
export const DENSE_BYTES = HEADER + (REGISTERS * 6) / 8;

export const DENSE = 0;
export const SPARSE = 1;

const MAGIC = 0x4c4c5948; // "HYLL", read little endian
const ENCODING = 4;
const CARDINALITY = 8;
/** Its high bit says that the cached cardinality is out of date. */
const CARDINALITY_LAST = 15;

const ZERO_MAX = 64;
const VALUE_MAX = 32;
const VALUE_RUN_MAX = 4;

/** DENSE or SPARSE; -1 when the bytes are no HyperLogLog. */
export function encodingOf(bytes: Buffer, start: number, end: number): number {
  if (end - start < HEADER || bytes.readUInt32LE(start) !== MAGIC) return -1;
  const encoding = bytes[start + ENCODING]!;
  if (encoding === DENSE) return end - start === DENSE_BYTES ? DENSE : -1;
  return encoding === SPARSE ? SPARSE : -1;
}

/** A new, empty one: sparse, all registers zero in one opcode. */
export function emptyHyperLogLog(): Buffer {
  const bytes = Buffer.alloc(HEADER + 2);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes[ENCODING] = SPARSE;
  bytes[HEADER] = 0x7f;
  bytes[HEADER + 1] = 0xff;
  return bytes;
}

export function invalidateCache(bytes: Buffer, start: number): void {
  bytes[start + CARDINALITY_LAST]! |= 0x80;
}

export function hasValidCache(bytes: Buffer, start: number): boolean {
  return bytes[start + CARDINALITY_LAST]! < 0x80;
}

/** Writes the cardinality into the header, which makes the cache valid. */
export function cacheCardinality(bytes: Buffer, start: number, cardinality: number): void {
  if (Number.isFinite(cardinality)) {
    bytes.writeUInt32LE(cardinality % 4294967296, start + CARDINALITY);
    bytes.writeUInt32LE(Math.floor(cardinality / 4294967296), start + CARDINALITY + 4);
    return;
  }
  // What the servers' conversion of an infinite estimate leaves: the smallest signed integer.
  bytes.fill(0, start + CARDINALITY, start + CARDINALITY_LAST);
  bytes[start + CARDINALITY_LAST] = 0x80;
}

/** Register of a 64-bit hash: its low fourteen bits. */
export function registerOfHash(low: number): number {
  return low & (REGISTERS - 1);
}

/** The value a hash offers its register: zero bits above the register number, plus one; 1 to 51. */
export function runOfHash(high: number, low: number): number {
  const rest = ((low >>> 14) | (high << 18)) >>> 0;
  if (rest !== 0) return trailingZeros(rest) + 1;
  return 32 + trailingZeros((high >>> 14) | 0x40000) + 1;
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Raises a register of a dense one; false when it is that high already. The cache is left as it is. */
export function raiseDense(bytes: Buffer, start: number, register: number, count: number): boolean {
  const at = start + HEADER + ((register * 6) >>> 3);
  const shift = (register * 6) & 7;
  const pair = bytes[at]! | (shift > 2 ? bytes[at + 1]! << 8 : 0);
  if (((pair >>> shift) & 63) >= count) return false;
  const changed = (pair & ~(63 << shift)) | (count << shift);
  bytes[at] = changed & 0xff;
  if (shift > 2) bytes[at + 1] = changed >>> 8;
  return true;
}

function denseRegister(bytes: Buffer, start: number, register: number): number {
  const at = start + HEADER + ((register * 6) >>> 3);
  const shift = (register * 6) & 7;
  const pair = bytes[at]! | (shift > 2 ? bytes[at + 1]! << 8 : 0);
  return (pair >>> shift) & 63;
}

/** The dense form of a sparse one, header copied; null when the opcodes do not cover the registers exactly. */
export function denseOf(bytes: Buffer, start: number, end: number): Buffer | null {
  const dense = Buffer.alloc(DENSE_BYTES);
  bytes.copy(dense, 0, start, start + HEADER);
  dense[ENCODING] = DENSE;
  const whole = walkSparse(bytes, start + HEADER, end, (register, run, value) => {
    for (let i = 0; i < run && value > 0; i++) raiseDense(dense, 0, register + i, value);
  });
  return whole ? dense : null;
}

/** Calls back for every run of registers; false when the runs do not cover the registers exactly. */
function walkSparse(
  bytes: Buffer,
  start: number,
  end: number,
  onRun: (register: number, run: number, value: number) => void,
): boolean {
  let register = 0;
  let at = start;
  while (at < end) {
    const run = runAt(bytes, at, end);
    const value = bytes[at]! >= 0x80 ? valueAt(bytes, at) : 0;
    if (register + run > REGISTERS) return false;
    onRun(register, run, value);
    register += run;
    at += widthAt(bytes, at);
  }
  return register === REGISTERS;
}

const isValue = (bytes: Buffer, at: number): boolean => bytes[at]! >= 0x80;
const isLongZero = (bytes: Buffer, at: number): boolean => (bytes[at]! & 0xc0) === 0x40;
const valueAt = (bytes: Buffer, at: number): number => ((bytes[at]! >>> 2) & 31) + 1;
const widthAt = (bytes: Buffer, at: number): number => (isLongZero(bytes, at) ? 2 : 1);

/** Registers the opcode at a position covers. */
function runAt(bytes: Buffer, at: number, end: number): number {
  const code = bytes[at]!;
  if (code >= 0x80) return (code & 3) + 1;
  if (code < 0x40) return code + 1;
  return (((code & 0x3f) << 8) | (at + 1 < end ? bytes[at + 1]! : 0)) + 1;
}

/** Nothing to change; changed; not a valid sparse string; the change wants the dense form. */
export type SparseChange = 'same' | 'raised' | 'corrupt' | 'promote';

/** A sparse one that is being changed: a copy with room to grow. */
export class SparseRegisters {
  bytes = Buffer.allocUnsafeSlow(4096);
  length = 0;

  /** `maxBytes` is the server's hll-sparse-max-bytes. */
  constructor(public maxBytes: number) {}

  load(bytes: Buffer, start: number, end: number): void {
    if (this.bytes.length < end - start + 4) this.bytes = Buffer.allocUnsafeSlow(end - start + 64);
    this.length = bytes.copy(this.bytes, 0, start, end);
  }

  /** Raises a register to `count` if it is lower. On 'promote' nothing has changed yet. */
  raise(register: number, count: number): SparseChange {
    if (count > VALUE_MAX) return 'promote';
    if (this.bytes.length < this.length + 4) this.bytes = Buffer.concat([this.bytes], this.length * 2);
    const { bytes, length } = this;
    let at = HEADER;
    let before = -1;
    let first = 0;
    let run = 0;
    while (at < length) {
      run = runAt(bytes, at, length);
      if (register < first + run) break;
      before = at;
      at += widthAt(bytes, at);
      first += run;
    }
    if (at >= length || at + widthAt(bytes, at) > length) return 'corrupt';
    const value = isValue(bytes, at) ? valueAt(bytes, at) : 0;
    if (value >= count) return 'same';
    if (run === 1 && !isLongZero(bytes, at)) bytes[at] = valueCode(count, 1);
    else if (!this.split(at, value, register - first, count, first + run - 1 - register)) return 'promote';
    this.mergeFrom(before < 0 ? HEADER : before);
    invalidateCache(this.bytes, 0);
    return 'raised';
  }

  /** Replaces an opcode by up to three: what it was on the left, the new value, what it was on the right. */
  private split(at: number, value: number, left: number, count: number, right: number): boolean {
    let size = 0;
    size = putRun(size, value, left);
    sequence[size++] = valueCode(count, 1);
    size = putRun(size, value, right);
    const { bytes } = this;
    const old = widthAt(bytes, at);
    const delta = size - old;
    if (delta > 0 && this.length + delta > this.maxBytes) return false;
    bytes.copyWithin(at + size, at + old, this.length);
    bytes.set(sequence.subarray(0, size), at);
    this.length += delta;
    return true;
  }

  /** Joins equal neighbours among the next five opcodes. */
  private mergeFrom(start: number): void {
    const { bytes } = this;
    let at = start;
    for (let looks = 5; at < this.length && looks > 0; looks--) {
      if (!isValue(bytes, at)) {
        at += widthAt(bytes, at);
        continue;
      }
      const next = at + 1;
      if (next < this.length && isValue(bytes, next) && valueAt(bytes, at) === valueAt(bytes, next)) {
        const run = runAt(bytes, at, this.length) + runAt(bytes, next, this.length);
        if (run <= VALUE_RUN_MAX) {
          bytes.copyWithin(at, next, this.length);
          bytes[at] = valueCode(valueAt(bytes, at), run);
          this.length--;
          continue;
        }
      }
      at++;
    }
  }
}

const sequence = Buffer.alloc(5);

const valueCode = (value: number, run: number): number => 0x80 | ((value - 1) << 2) | (run - 1);

function putRun(size: number, value: number, run: number): number {
  if (run === 0) return size;
  if (value > 0) {
    sequence[size] = valueCode(value, run);
  } else if (run <= ZERO_MAX) {
    sequence[size] = run - 1;
  } else {
    sequence[size] = 0x40 | ((run - 1) >>> 8);
    sequence[size + 1] = (run - 1) & 0xff;
    return size + 2;
  }
  return size + 1;
}

/** One byte per register: the highest value among the HyperLogLogs merged into it. */
export class RegisterMaxima {
  readonly values = new Uint8Array(REGISTERS);

  /** False when a sparse one is corrupt. */
  merge(bytes: Buffer, start: number, end: number): boolean {
    const { values } = this;
    if (bytes[start + ENCODING] === DENSE) {
      for (let i = 0; i < REGISTERS; i++) {
        const value = denseRegister(bytes, start, i);
        if (value > values[i]!) values[i] = value;
      }
      return true;
    }
    return walkSparse(bytes, start + HEADER, end, (register, run, value) => {
      for (let i = register; i < register + run; i++) if (value > values[i]!) values[i] = value;
    });
  }
}

/**
 * How many registers hold each value; null when a sparse one is corrupt. The estimate of the cardinality is made of
 * these.
 */
export function histogramOf(bytes: Buffer, start: number, end: number): Float64Array | null {
  const histogram = new Float64Array(64);
  if (bytes[start + ENCODING] === DENSE) {
    for (let i = 0; i < REGISTERS; i++) histogram[denseRegister(bytes, start, i)]!++;
    return histogram;
  }
  const whole = walkSparse(bytes, start + HEADER, end, (_register, run, value) => {
    histogram[value]! += run;
  });
  return whole ? histogram : null;
}
