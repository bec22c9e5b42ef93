/** Something inside a value: by name where it has one. Texts have one character per byte; null: not there. */
export interface InsideChange {
  readonly what:
    | 'value'
    | 'index'
    | 'member'
    | 'field'
    | 'cursor'
    | 'entry'
    | 'group'
    | 'producer'
    | 'idempotence'
    | 'last-id'
    | 'max-deleted-id'
    | 'entries-added'
    | 'entries-read'
    | 'messages-added'
    | 'messages-refused'
    | 'start'
    | 'interval'
    | 'key'
    | 'argument';
  /** Name, index or id; '' for the value as a whole. */
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What changed inside one value. */
export interface Inside {
  /** The first of them. */
  readonly changes: readonly InsideChange[];
  readonly count: number;
}

/** More changes inside one value are counted, not listed. */
const LISTED = 100;

/** Gathers the changes inside one value. */
export class Changes implements Inside {
  readonly changes: InsideChange[] = [];
  count = 0;

  add(what: InsideChange['what'], name: string, before: string | null, after: string | null): void {
    this.count++;
    if (this.changes.length < LISTED) this.changes.push({ what, name, before, after });
  }

  /** Adds what there is of once, where it is not the same. */
  compare(what: InsideChange['what'], name: string, before: string | null, after: string | null): void {
    if (before !== after) this.add(what, name, before, after);
  }
}

/** How a part of a value is shown, and what it is compared by: parts that are shown alike may differ. */
export interface Part {
  readonly text: string;
  readonly exact: string;
}

export const latin1 = (bytes: Buffer): string => bytes.latin1Slice(0, bytes.length);

/**
 * Parts by name; `exact` where texts alone could be the same for two that differ. A name that stands twice, as no server
 * writes it, is shown with all that it has.
 */
export function named<T>(
  items: readonly T[],
  name: (item: T) => string,
  text: (item: T) => string,
  exact: (item: T) => string = text,
): Map<string, Part> {
  const parts = new Map<string, Part>();
  for (const item of items) {
    const own = name(item);
    const part = { text: text(item), exact: exact(item) };
    const first = parts.get(own);
    parts.set(own, first === undefined ? part : bothOf(first, part));
  }
  return parts;
}

const bothOf = (first: Part, again: Part): Part => ({
  text: `${first.text} and again ${again.text}`.trim(),
  exact: `${first.exact} and again ${again.exact}`,
});

/** Adds what came, went or is another. */
export function compareMaps(
  before: ReadonlyMap<string, Part>,
  after: ReadonlyMap<string, Part>,
  what: InsideChange['what'],
  found: Changes,
): void {
  for (const [name, { text, exact }] of before) {
    const now = after.get(name);
    if (now?.exact !== exact) found.add(what, name, text, now?.text ?? null);
  }
  for (const [name, { text }] of after) if (!before.has(name)) found.add(what, name, null, text);
}
