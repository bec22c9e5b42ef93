import { Crc64, type InPlaceSums } from '../kernels/crc64.js';

/** The running checksum of a file, fed in the large blocks that a run consumes. */
export class RunningChecksum {
  private readonly crc: Crc64;
  /** Position in the window up to which the bytes are in the checksum. */
  private from = 0;

  constructor(
    private readonly enabled: boolean,
    inPlace: InPlaceSums | null = null,
  ) {
    this.crc = new Crc64(inPlace);
  }

  /** A run starts: bytes from here on are not in the checksum yet. */
  start(position: number): void {
    this.from = position;
  }

  /** Takes in the bytes consumed since. */
  consume(bytes: Buffer, position: number): void {
    if (this.enabled && position > this.from) this.crc.update(bytes, this.from, position);
    this.from = position;
  }

  get high(): number {
    return this.crc.high >>> 0;
  }

  get low(): number {
    return this.crc.low >>> 0;
  }
}

/** Sixteen hex digits, as messages show a checksum. */
export function checksumText(high: number, low: number): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
