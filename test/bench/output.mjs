import { closeSync, openSync, writeSync } from 'node:fs';

const SIZE = 1 << 20;
const ROOM = 1 << 16;

/** Bytes on their way to a file: a buffer with room for one record of up to 64 KiB after each `record()`. */
export class FileOutput {
  bytes = Buffer.allocUnsafeSlow(SIZE + ROOM);
  position = 0;
  /** Bytes written before the buffer's first. */
  written = 0;
  /** Called with each range before it leaves the buffer. */
  onFlush = null;

  constructor(path) {
    this.descriptor = openSync(path, 'w');
  }

  get size() {
    return this.written + this.position;
  }

  /** Says that a record is whole: what is before may go out. */
  record() {
    if (this.position >= SIZE) this.flush();
  }

  text(text) {
    this.position += this.bytes.latin1Write(text, this.position);
  }

  byte(value) {
    this.bytes[this.position++] = value;
  }

  flush() {
    this.onFlush?.(this.bytes, this.position);
    for (let at = 0; at < this.position; ) {
      at += writeSync(this.descriptor, this.bytes, at, this.position - at);
    }
    this.written += this.position;
    this.position = 0;
  }

  close() {
    this.flush();
    closeSync(this.descriptor);
  }
}

/** A seeded generator: `next()` is a 32-bit integer, `below(n)` one in [0, n), `hex(n)` that many digits. */
export class Random {
  constructor(seed) {
    this.state = Math.imul(seed, 0x9e3779b1) | 1;
  }

  next() {
    // Mulberry32.
    this.state = (this.state + 0x6d2b79f5) | 0;
    let z = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  }

  below(n) {
    return Math.floor((this.next() / 4294967296) * n);
  }

  /** In [0, n), small numbers far more often: what is popular in an application. */
  popular(n) {
    const u = this.next() / 4294967296;
    return Math.floor(n * u * u * u);
  }

  hex(digits) {
    let text = '';
    while (text.length < digits) text += this.next().toString(16).padStart(8, '0');
    return text.slice(0, digits);
  }
}

const WORDS =
  'active pending order customer total price item cart user email address shipped token session'.split(' ');

/** Text that reads like JSON of an application; values are cut out of it. */
export function makeProse(random, length) {
  let text = '';
  while (text.length < length) {
    const word = WORDS[random.below(WORDS.length)];
    text += random.below(3) === 0 ? `"${word}":${random.below(100000)},` : `"${word}":"${random.hex(6)}",`;
  }
  return text.slice(0, length);
}
