import { Lz4Target } from './lz4-target.js';
import type { ByteTarget } from './target.js';

/** Version 1, LZ4, reserved, an RDB. */
const ENVELOPE = Buffer.from('VCS\x01\x01\x00\x01', 'latin1');

/**
 * Valkey's compressed stream around what is written: one LZ4 frame of linked blocks of 64 KiB. Takes an RDB that neither
 * compresses its strings nor has a checksum, as the frame does both.
 */
export class VcsTarget extends Lz4Target {
  constructor(into: ByteTarget) {
    super(into, ENVELOPE);
  }
}
