import { type Bytes, bytesOf, concat, f64le, i64le, len, str, u8, u32le } from './rdb-bytes.js';

/** CRC-64 of the servers, bit by bit: slow, and written from its definition alone. */
export function crc64(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  }
  return crc;
}

/** Puts an RDB together record by record. */
export class RdbBuilder {
  private readonly parts: Buffer[] = [];

  constructor(header: string) {
    this.raw(header);
  }

  raw(...parts: Bytes[]): this {
    this.parts.push(concat(...parts));
    return this;
  }

  aux(name: string, value: Bytes | Buffer, encoded = false): this {
    return this.raw(u8(250), str(name), encoded ? value : str(value));
  }

  database(index: number): this {
    return this.raw(u8(254), len(index));
  }

  resize(keys: number, expires: number): this {
    return this.raw(u8(251), len(keys), len(expires));
  }

  slotInfo(slot: number, keys: number, expires: number): this {
    return this.raw(u8(244), len(slot), len(keys), len(expires));
  }

  expiryMs(ms: number | bigint): this {
    return this.raw(u8(252), i64le(ms));
  }

  expirySeconds(seconds: number): this {
    return this.raw(u8(253), u32le(seconds >>> 0));
  }

  idle(seconds: number): this {
    return this.raw(u8(248), len(seconds));
  }

  freq(counter: number): this {
    return this.raw(u8(249, counter));
  }

  library(code: Bytes): this {
    return this.raw(u8(245), str(code));
  }

  /** The value follows the key as it is. */
  key(type: number, name: Bytes, ...value: Bytes[]): this {
    return this.raw(u8(type), str(name), ...value);
  }

  /** What stands so far. */
  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** End mark and checksum. */
  end(): Buffer {
    const body = concat(this.bytes(), u8(255));
    const crc = Buffer.alloc(8);
    crc.writeBigUInt64LE(crc64(body));
    return concat(body, crc);
  }

  /** End mark and a trailer that says the checksum was switched off. */
  endUnchecked(): Buffer {
    return concat(this.bytes(), u8(255), Buffer.alloc(8));
  }
}

export const redis = (version: number): RdbBuilder =>
  new RdbBuilder(`REDIS${String(version).padStart(4, '0')}`);

/** What DUMP gives: type, value, version, checksum. */
export function payload(version: number, ...body: Bytes[]): Buffer {
  const start = concat(...body, u8(version & 0xff, version >> 8));
  const crc = Buffer.alloc(8);
  crc.writeBigUInt64LE(crc64(start));
  return concat(start, crc);
}

/** One value, several times, in a file of a version in which its type exists. */
export function fileWith(version: number, type: number, ...value: Bytes[]): Buffer {
  return redis(version)
    .key(type, 'k', ...value)
    .end();
}

/** Fields of module values. */
export const moduleField = {
  uint: (value: number | bigint) => concat(len(2), len(value)),
  sint: (value: number | bigint) => concat(len(1), len(value)),
  float: (bytes: Bytes) => concat(len(3), bytesOf(bytes)),
  double: (value: number) => concat(len(4), f64le(value)),
  string: (text: Bytes) => concat(len(5), str(text)),
  end: u8(0),
};
