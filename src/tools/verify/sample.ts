import type { KeyHead } from '../../model/handler.js';

/** Names of keys by database, one character per byte. */
export type SampledNames = ReadonlyMap<number, ReadonlySet<string>>;

/** Keeps so many keys of all that go by, each with the same chance. */
export class KeySample {
  private readonly kept: { readonly database: number; readonly name: string }[] = [];
  private seen = 0;

  constructor(private readonly size: number) {}

  offer(head: KeyHead): void {
    const { kept, size } = this;
    this.seen++;
    const place = kept.length < size ? kept.length : Math.floor(Math.random() * this.seen);
    if (place < size) kept[place] = { database: head.database, name: head.key.latin1() };
  }

  names(): SampledNames {
    const names = new Map<number, Set<string>>();
    for (const { database, name } of this.kept) {
      let set = names.get(database);
      if (set === undefined) names.set(database, (set = new Set()));
      set.add(name);
    }
    return names;
  }
}
