import { GrowingBytes } from '../../bytes/growing-bytes.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { TYPE_MODULE_2 } from '../constants.js';
import { MODULE_ID_BYTES, moduleIdOf } from '../module-id.js';
import { VECTOR_SET_NAME } from '../types/vector-set.js';
import type { ValueStart } from './key-record.js';
import type { RdbOutput } from './output.js';

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
      if (this.start.end >= MODULE_ID_BYTES) this.decide();
    }
  }

  private decide(): void {
    const { bytes, end } = this.start;
    const name = end >= MODULE_ID_BYTES ? moduleIdOf(bytes).name : '';
    // Values without the name of a module are of kinds that one product alone has.
    this.refused = name === '' || (!this.vectorSets && name === VECTOR_SET_NAME);
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
