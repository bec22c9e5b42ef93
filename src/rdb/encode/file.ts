import type { ByteTarget } from '../../bytes/target.js';
import { Crc64 } from '../../kernels/crc64.js';
import { OPCODE_EOF, TRAILER_BYTES } from '../constants.js';
import { RdbOutput } from './output.js';

/** An RDB on its way to a target, its checksum computed alongside. */
export class RdbFile {
  readonly output: RdbOutput;
  private readonly crc = new Crc64();

  constructor(
    private readonly target: ByteTarget,
    compress: boolean,
    /** False: nobody asks for the checksum. */
    summed = true,
  ) {
    this.output = new RdbOutput((bytes) => {
      if (summed) this.crc.update(bytes, 0, bytes.length);
      target.write(bytes);
    }, compress);
  }

  /** Writes the end mark and the trailer: none at all, zero for "not computed", or the checksum. */
  end(trailer: 'none' | 'zero' | 'checksum'): void {
    this.output.byte(OPCODE_EOF);
    this.output.flush();
    if (trailer === 'none') return;
    const bytes = Buffer.alloc(TRAILER_BYTES);
    if (trailer === 'checksum') {
      bytes.writeUInt32LE(this.crc.low, 0);
      bytes.writeUInt32LE(this.crc.high, 4);
    }
    this.target.write(bytes);
  }
}
