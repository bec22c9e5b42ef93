import type { SideValue } from './forms.js';

/** The value of a module type, as its bytes stood in an RDB after the type number. */
export class ModuleValue implements SideValue {
  constructor(
    readonly typeId: number,
    readonly bytes: Buffer,
  ) {}

  clone(): ModuleValue {
    return this;
  }
}
