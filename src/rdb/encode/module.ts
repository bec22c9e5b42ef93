import { GrowingBytes } from '../../bytes/growing-bytes.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { LENGTH_64, TYPE_MODULE_2 } from '../constants.js';
import type { ValueStart } from './key-record.js';
import type { RdbOutput } from './output.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** First byte and 64 bits of the module's id, which opens a value. */
const ID_BYTES = 9;
const NAME_LENGTH = 9;
const VECTOR_SET = 'vectorset';

/** Module values, byte for byte: only the module knows more of them than their name. */
export class ModuleEncoder {
  private readonly start = new GrowingBytes();
  private output: RdbOutput | null = null;
  private refused = false;

  constructor(
    private readonly into: ValueStart,
    private readonly vectorSets: boolean,
  ) {}

  begin(): void {
    this.start.reset();
    this.output = null;
    this.refused = false;
  }

  raw(fragment: ByteSlice): void {
    const { bytes, start, end } = fragment;
    if (this.output !== null) {
      this.output.raw(bytes, start, end);
    } else if (!this.refused) {
      this.start.put(bytes, start, end);
      if (this.start.end >= ID_BYTES) this.decide();
    }
  }

  private decide(): void {
    const { bytes, end } = this.start;
    this.refused = !this.vectorSets && end >= ID_BYTES && moduleName(bytes) === VECTOR_SET;
    if (this.refused) return;
    this.output = this.into.open(TYPE_MODULE_2);
    this.output.raw(bytes, 0, end);
  }

  /** False when the target has no such values: nothing is written. */
  finish(): boolean {
    if (this.output === null && !this.refused) this.decide();
    return !this.refused;
  }
}

/** The nine characters in front of the ten bits of version in an id; empty when the bytes are no id of that kind. */
function moduleName(bytes: Buffer): string {
  if (bytes[0] !== LENGTH_64) return '';
  let id = bytes.readBigUInt64BE(1) >> 10n;
  let name = '';
  for (let i = 0; i < NAME_LENGTH; i++) {
    name = ALPHABET[Number(id & 63n)]! + name;
    id >>= 6n;
  }
  return name;
}
