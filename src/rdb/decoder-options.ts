import type { InPlaceSums } from '../kernels/crc64.js';
import type { WarningSink } from './codec.js';
import type { Dialect, DialectName } from './dialect.js';
import type { RdbLimits } from './value-reader.js';

export interface RdbDecoderOptions {
  /** False: the checksum is neither computed nor compared, and the summary says what the trailer holds. */
  readonly verifyChecksum: boolean;
  /** Who sums bytes that are read into memory of its own, without a copy. */
  readonly inPlace?: InPlaceSums | undefined;
  /** True: beyond what is needed to read them, values are held to what servers write: no duplicates, in order. */
  readonly deep: boolean;
  /** The product, where the file cannot tell; else magic, version and aux fields do. */
  readonly dialect?: DialectName | undefined;
  readonly limits?: RdbLimits | undefined;
  /** True: the bytes are a record that came in chunks, and has none itself. */
  readonly inChunks?: boolean;
  /** Called for flaws that do not end the decoding, while `head` names the key at hand. */
  readonly onWarning?: WarningSink | undefined;
  /** The input begins between two records of an RDB of this dialect, not with a header. */
  readonly inside?: Dialect;
}
