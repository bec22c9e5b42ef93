import { GrowingBytes } from '../bytes/growing-bytes.js';
import { Crc64 } from '../kernels/crc64.js';
import type { KeyHead } from '../model/handler.js';
import type { ValueStart } from './encode/key-record.js';
import { RdbOutput } from './encode/output.js';
import { ValueWriter } from './encode/value-writer.js';
import type { RdbTarget } from './writer-target.js';

/** Version and checksum behind the value. */
const FOOTER_BYTES = 10;

/** Gathers a type number and a value in memory. */
class PayloadStart implements ValueStart {
  readonly gathered = new GrowingBytes();
  readonly output: RdbOutput;

  constructor(compress: boolean) {
    this.output = new RdbOutput((bytes) => this.gathered.put(bytes, 0, bytes.length), compress);
  }

  reset(): void {
    this.output.reset();
    this.gathered.reset();
  }

  open(typeId: number): RdbOutput {
    this.output.byte(typeId);
    return this.output;
  }
}

/**
 * Turns one value at a time into what DUMP gives and RESTORE takes: `begin` or `copy`, the items, `finish`, and if that
 * was true `payload`. The whole payload is held in memory.
 */
export class PayloadWriter extends ValueWriter {
  private readonly start: PayloadStart;

  constructor(
    private readonly profile: RdbTarget,
    compress: boolean,
  ) {
    const start = new PayloadStart(compress);
    super(start, profile, compress);
    this.start = start;
  }

  override begin(head: KeyHead): void {
    this.start.reset();
    super.begin(head);
  }

  override copy(head: KeyHead): void {
    this.start.reset();
    super.copy(head);
  }

  /** The payload of the value that was finished last: a view, valid until the next value begins. */
  payload(): Buffer {
    const { gathered, output } = this.start;
    output.flush();
    gathered.reserve(FOOTER_BYTES);
    const { bytes } = gathered;
    const versionAt = gathered.end;
    bytes.writeUInt16LE(this.profile.version, versionAt);
    const crc = new Crc64();
    crc.update(bytes, 0, versionAt + 2);
    bytes.writeUInt32LE(crc.low, versionAt + 2);
    bytes.writeUInt32LE(crc.high, versionAt + 6);
    return bytes.subarray(0, versionAt + FOOTER_BYTES);
  }
}
