import { type Depth, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import type { KeyNumbers } from './present.js';
import type { Selection } from './selection.js';

/** A key by name, one character per byte. */
export interface NamedKey {
  readonly database: number;
  readonly key: string;
}

class Namer extends ItemSink {
  readonly found: NamedKey[] = [];
  private number = 0;

  constructor(
    private readonly wanted: KeyNumbers,
    private readonly limit: number,
  ) {
    super();
  }

  get full(): boolean {
    return this.found.length >= this.limit;
  }

  override key(head: KeyHead): Depth {
    if (!this.full && this.wanted.has(this.number++)) {
      this.found.push({ database: head.database, key: head.key.latin1() });
    }
    return SKIP;
  }
}

/** The first keys of those numbers. */
export async function namesOf(selection: Selection, wanted: KeyNumbers, limit: number): Promise<NamedKey[]> {
  if (wanted.count === 0) return [];
  const namer = new Namer(wanted, Math.min(limit, wanted.count));
  const enough = new Error('all names are found');
  try {
    await selection.tell(namer, () => Promise.reject(enough));
  } catch (error) {
    if (error !== enough) throw error;
  }
  return namer.found;
}

/** Those of the numbers that are not below `from`. */
export function since(numbers: KeyNumbers, from: number, limit: number, into: KeyNumbers): KeyNumbers {
  for (let number = from; number < limit; number++) if (numbers.has(number)) into.add(number);
  return into;
}
