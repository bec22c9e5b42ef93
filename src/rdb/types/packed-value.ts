import { END, NEED, type Progress } from '../../bytes/window.js';
import type { ItemOutput, ValueWalk } from '../codec.js';
import { type Cursor, SHORT } from '../cursor.js';
import type { ListpackReader } from '../packed/listpack.js';
import type { ZiplistReader } from '../packed/ziplist.js';

/** The two structures that are a sequence of entries. */
export type PackedReader = ListpackReader | ZiplistReader;

/** Reads a packed structure from the blob in `walk.text` and reports what it holds. */
export type ReadPacked = (walk: ValueWalk, out: ItemOutput) => void;

/** Decodes a value that is one string holding a packed structure: one item, however many elements it reports. */
export function packed(read: ReadPacked) {
  return (walk: ValueWalk, cursor: Cursor, out: ItemOutput): Progress => {
    const at = walk.text.read(cursor, cursor.position);
    if (at === SHORT) return NEED;
    read(walk, out);
    cursor.position = at;
    return END;
  };
}

export const listpackOf = (walk: ValueWalk): PackedReader => walk.listpack;
export const ziplistOf = (walk: ValueWalk): PackedReader => walk.ziplist;
