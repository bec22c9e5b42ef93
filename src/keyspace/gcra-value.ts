import type { Long } from '../bytes/int64.js';
import { sliceOf } from '../bytes/slice.js';
import type { ItemHandler } from '../model/handler.js';
import type { SideValue } from './forms.js';

/** The state of a rate limit: the time at which its bucket is empty, in microseconds since the epoch. */
export class GcraValue implements SideValue {
  constructor(readonly arrivalMicros: Long) {}

  tell(handler: ItemHandler): void {
    handler.text(sliceOf(`${this.arrivalMicros}`));
  }

  clone(): GcraValue {
    return this;
  }
}
