import type { Progress } from '../bytes/window.js';
import type { StreamId } from '../model/stream-id.js';
import type { Cursor } from './cursor.js';
import type { Dialect } from './dialect.js';

/**
 * Takes records before the decoder reads them: a shorter way from their bytes to what a handler makes of them.
 * What it leaves is decoded as ever, and told to the handler.
 */
export interface Shortcut {
  /** Keys that it completed in the last `take`. */
  readonly keys: number;
  /**
   * Goes on from the cursor's position and moves it behind what it took. NEED: it wants `cursor.need` bytes; PAUSE: the
   * handler is full; END: what stands there is for the decoder, inside of a value where `leave` has one.
   */
  take(cursor: Cursor, database: number, dialect: Dialect): Progress;
  /** Gives up the value at hand, if there is one, of which the decoder then tells the rest. */
  leave(): PartialValue | null;
}

/** A value whose first items have been taken. */
export interface PartialValue {
  readonly number: number;
  /** Name of its key, owned. */
  readonly name: Buffer;
  readonly itemsLeft: number;
  readonly itemIndex: number;
  readonly smallestExpiry: number;
  /** Where a stream stands. */
  readonly lastKey: StreamId;
  readonly lastEntry: StreamId;
  /** Null: no entry lives so far. */
  readonly firstLive: StreamId | null;
  readonly liveEntries: number;
}
