import { END, NEED, PAUSE, type Progress } from '../../bytes/window.js';
import type { ItemOutput, ValueWalk } from '../codec.js';
import { type Cursor, SHORT } from '../cursor.js';

/** Reads one item at `cursor.position`, reports it and returns the position after it, or SHORT. */
export type ReadItem = (walk: ValueWalk, cursor: Cursor, out: ItemOutput) => number;

/** The first step of a counted value: reads how many items follow. False when the window is short. */
export function readCount(walk: ValueWalk, cursor: Cursor, nextStep: number): boolean {
  const at = cursor.length(cursor.position);
  if (at === SHORT) return false;
  cursor.position = at;
  walk.left = cursor.value;
  walk.step = nextStep;
  walk.index = 0;
  return true;
}

/** Runs through the `walk.left` items of a loop. */
export function readItems(walk: ValueWalk, cursor: Cursor, out: ItemOutput, read: ReadItem): Progress {
  while (walk.left > 0) {
    const at = read(walk, cursor, out);
    if (at === SHORT) return NEED;
    cursor.position = at;
    walk.left--;
    walk.index++;
    if (out.full && walk.left > 0) return PAUSE;
  }
  return END;
}

/** Decodes a value that is a count and so many items. */
export function counted(read: ReadItem) {
  return (walk: ValueWalk, cursor: Cursor, out: ItemOutput): Progress => {
    if (walk.step === 0 && !readCount(walk, cursor, 1)) return NEED;
    return readItems(walk, cursor, out, read);
  };
}
