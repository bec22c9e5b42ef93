import { pumpSource } from '../../bytes/pump.js';
import { ByteSlice } from '../../bytes/slice.js';
import type { FileSource } from '../../bytes/source.js';
import type { RecordKernel } from '../../kernels/records.js';
import type { KeyHead } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import { HashLanes } from '../../model/value-hash.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import { RdbRelay } from '../relay.js';
import type { NotesTask } from '../thread.js';
import { Searcher } from './entries.js';
import { KeyTable } from './key-table.js';
import { KINDS, NameFinder } from './names.js';
import { type Comparing, expiryOf, MarkedGate, Noting } from './passes.js';
import { readingTo } from './side.js';
import { SkippingSource } from './skipping-source.js';

/** So many keys at most are noted rather than compared at once. */
export const NOTED_MAX = 1 << 16;

const NOTE_WORDS = 6;

/** What is known of some keys of a side: three words of the name's hash, two of the value's, the kind; and when they expire. */
export interface Notes {
  readonly words: Int32Array;
  readonly expiry: Float64Array;
}

/**
 * The second thread's part of a second look: the keys of these names, by what they mean. The kernel has made all entries.
 *
 * @throws FormatError when the file is damaged
 */
export async function noteKeys(
  source: FileSource,
  { seeds, dialect, names, repeated, skips }: NotesTask,
  kernel: RecordKernel,
): Promise<Notes> {
  const table = new KeyTable();
  const lanes = new HashLanes();
  for (let at = 0; at < names.length; at += 3) {
    lanes.a = names[at]!;
    lanes.b = names[at + 1]!;
    table.insert(lanes, names[at + 2]!);
    table.setUnknown();
  }
  const words: number[] = [];
  const expiry: number[] = [];
  const name = new NameFinder(seeds, kernel);
  const noting = new Noting(table, name, seeds, (head, value) => {
    words.push(name.lanes.a, name.lanes.b, name.third, value.a, value.b, KINDS.indexOf(head.kind));
    expiry.push(expiryOf(head));
  });
  const gate = new MarkedGate(
    noting,
    table,
    name,
    { names: repeated, side: 'before' },
    (found) => found,
    true,
  );
  const shortcut = new Searcher(kernel, table);
  shortcut.begin(skips);
  const listener = new (class extends RdbRelay {
    readonly shortcut = shortcut;
  })(gate);
  const options = { verifyChecksum: false, deep: false, ...(dialect !== null && { dialect }) };
  await pumpSource(new SkippingSource(source, skips), new RdbDecoder(listener, options), {
    ...readingTo(kernel.rooms, skips),
  });
  return { words: Int32Array.from(words), expiry: Float64Array.from(expiry) };
}

/** Puts notes into the table that their names are in; returns how many there are. */
export function takeNotes({ words, expiry }: Notes, table: KeyTable): number {
  const name = new HashLanes();
  const value = new HashLanes();
  for (let i = 0; i < expiry.length; i++) {
    const at = i * NOTE_WORDS;
    name.a = words[at]!;
    name.b = words[at + 1]!;
    value.a = words[at + 3]!;
    value.b = words[at + 4]!;
    table.insert(name, words[at + 2]!);
    table.set(value, words[at + 5]!, expiry[i]!);
  }
  return expiry.length;
}

/** Keys of the second side that wait for what the first side holds. */
export class WaitingKeys {
  private readonly keys: {
    readonly database: number;
    readonly key: Buffer;
    readonly kind: ValueKind;
    readonly name: HashLanes;
    readonly third: number;
    readonly value: HashLanes;
    readonly expiresAtMs: number;
    readonly place: number;
  }[] = [];

  add(head: KeyHead, { lanes, third }: NameFinder, value: HashLanes, place: number): void {
    const { database, kind } = head;
    const [name, own] = [Object.assign(new HashLanes(), lanes), Object.assign(new HashLanes(), value)];
    const key = head.key.copy();
    this.keys.push({ database, key, kind, name, third, value: own, expiresAtMs: expiryOf(head), place });
  }

  /** Compares them, in order; `at` is told the place of each before. */
  async compare(
    comparing: Comparing,
    at: (place: number) => void,
    pace: { readonly full: boolean; drain(): Promise<void> },
  ): Promise<void> {
    const slice = new ByteSlice();
    for (const { database, key, kind, name, third, value, expiresAtMs, place } of this.keys) {
      at(place);
      const head = { database, kind, key: slice.set(key, 0, key.length) };
      comparing.compare(head, name, third, value, expiresAtMs);
      if (pace.full) await pace.drain();
    }
  }
}

/** Names of a table as words, to be given to another thread. */
export function namesOf(table: KeyTable): Int32Array {
  const names = new Int32Array(3 * table.size);
  let at = 0;
  table.forEachName((a, b, c) => {
    names[at++] = a;
    names[at++] = b;
    names[at++] = c;
  });
  return names;
}
