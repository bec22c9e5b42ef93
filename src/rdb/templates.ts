import { ByteSlice } from '../bytes/slice.js';
import { FormatError } from '../errors.js';
import { type Cursor, SHORT } from './cursor.js';
import type { TextReader } from './text.js';

/**
 * Field names that many hashes of a file share, by the number the hashes name them with. For whoever only tries whether
 * bytes are records: those of `known` count too and stay as they are, and with `once` no other template may have the
 * number of one before.
 */
export class HashTemplates {
  private readonly fields = new Map<number, readonly ByteSlice[]>();

  constructor(
    private readonly known: HashTemplates | null = null,
    private readonly once = known !== null,
  ) {}

  /** Forgets all but what was known before. */
  forget(): void {
    this.fields.clear();
  }

  /** The names of a template, in order. @throws FormatError when the file has not told of it; the offset is the id's */
  get(id: number, offset: number): readonly ByteSlice[] {
    const names = this.find(id);
    if (names === undefined) throw new FormatError('rdb/bad-template', offset, { reason: 'not-defined', id });
    return names;
  }

  private find(id: number): readonly ByteSlice[] | undefined {
    return this.fields.get(id) ?? this.known?.find(id);
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
    const before = this.once ? this.find(id) : undefined;
    if (before !== undefined && !sameNames(before, names)) {
      throw new FormatError('rdb/bad-template', cursor.offsetOf(start), { reason: 'defined-twice', id });
    }
    this.fields.set(id, names);
    return at;
  }
}

function sameNames(some: readonly ByteSlice[], others: readonly ByteSlice[]): boolean {
  return some.length === others.length && some.every((name, i) => name.view().equals(others[i]!.view()));
}
