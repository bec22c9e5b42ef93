import type { SideValue } from './forms.js';

/** A value that no command here looks into, as its bytes stood in an RDB after the type number. */
export class OpaqueValue implements SideValue {
  constructor(
    readonly typeId: number,
    readonly bytes: Buffer,
  ) {}

  clone(): OpaqueValue {
    return this;
  }
}
