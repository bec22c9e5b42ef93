const COMPRESS_FROM = 21;
const BLOB_MAX = 1 << 16;

/** Writes an RDB: lengths, strings and packed structures as a server lays them out. */
export class RdbOutput {
  scratch = Buffer.alloc(BLOB_MAX);

  constructor(output, kernels) {
    this.output = output;
    this.kernels = kernels;
    this.crc = { high: 0, low: 0 };
    output.onFlush = (bytes, end) => kernels.updateCrc64(this.crc, bytes, 0, end);
  }

  length(value) {
    const { output } = this;
    if (value < 64) {
      output.byte(value);
    } else if (value < 16384) {
      output.byte(0x40 | (value >> 8));
      output.byte(value & 0xff);
    } else if (value < 2 ** 32) {
      output.byte(0x80);
      output.position = output.bytes.writeUInt32BE(value, output.position);
    } else {
      output.byte(0x81);
      output.position = output.bytes.writeBigUInt64BE(BigInt(value), output.position);
    }
  }

  plain(bytes) {
    this.length(bytes.length);
    this.output.bytes.set(bytes, this.output.position);
    this.output.position += bytes.length;
  }

  /** A blob, compressed where that saves four bytes. */
  blob(bytes) {
    const size =
      bytes.length < COMPRESS_FROM
        ? 0
        : this.kernels.lzfCompress(bytes, 0, bytes.length, this.scratch, 0, bytes.length - 4);
    if (size === 0) return this.plain(bytes);
    this.output.byte(0xc3);
    this.length(size);
    this.length(bytes.length);
    this.output.bytes.set(this.scratch.subarray(0, size), this.output.position);
    this.output.position += size;
  }

  text(text) {
    this.length(text.length);
    this.output.text(text);
  }

  integer(value) {
    const { output } = this;
    if (value >= -128 && value < 128) {
      output.byte(0xc0);
      output.position = output.bytes.writeInt8(value, output.position);
    } else if (value >= -32768 && value < 32768) {
      output.byte(0xc1);
      output.position = output.bytes.writeInt16LE(value, output.position);
    } else {
      output.byte(0xc2);
      output.position = output.bytes.writeInt32LE(value, output.position);
    }
  }

  double(value) {
    this.output.position = this.output.bytes.writeDoubleLE(value, this.output.position);
  }

  aux(name, value) {
    this.output.byte(0xfa);
    this.text(name);
    if (typeof value === 'number') this.integer(value);
    else this.text(value);
  }

  begin(keys, expires) {
    this.output.text('REDIS0010');
    this.aux('redis-ver', '7.0.15');
    this.aux('redis-bits', 64);
    this.aux('ctime', 1772366400);
    this.output.byte(0xfe);
    this.length(0);
    this.output.byte(0xfb);
    this.length(keys);
    this.length(expires);
  }

  expiry(ms) {
    this.output.byte(0xfc);
    this.output.position = this.output.bytes.writeBigInt64LE(BigInt(ms), this.output.position);
  }

  end() {
    const { output } = this;
    output.byte(0xff);
    output.flush();
    output.onFlush = null;
    output.position = output.bytes.writeUInt32LE(this.crc.low, 0);
    output.position = output.bytes.writeUInt32LE(this.crc.high, 4);
    output.close();
  }
}
