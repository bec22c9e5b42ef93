import { ByteSlice } from '../bytes/slice.js';
import { FormatError } from '../errors.js';
import { type Cursor, SHORT } from './cursor.js';
import type { TextReader } from './text.js';

/** Field names that many hashes of a file share, by the number the hashes name them with. */
export class HashTemplates {
  private readonly fields = new Map<number, readonly ByteSlice[]>();

  /** The names of a template, in order. @throws FormatError when the file has not told of it; the offset is the id's */
  get(id: number, offset: number): readonly ByteSlice[] {
    const names = this.fields.get(id);
    if (names === undefined) throw new FormatError('rdb/bad-template', offset, { reason: 'not-defined', id });
    return names;
  }

  /**
   * Reads one template: its id, how many fields, their names. A second one of the same id takes its place.
   * @returns the position after it, or SHORT
   */
  read(cursor: Cursor, start: number, text: TextReader): number {
    let at = cursor.length(start);
    if (at === SHORT) return SHORT;
    const id = cursor.value;
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    const count = cursor.value;
    const names: ByteSlice[] = [];
    for (let i = 0; i < count; i++) {
      at = text.read(cursor, at);
      if (at === SHORT) return SHORT;
      const copy = text.slice.copy();
      names.push(new ByteSlice().set(copy, 0, copy.length));
    }
    this.fields.set(id, names);
    return at;
  }
}
