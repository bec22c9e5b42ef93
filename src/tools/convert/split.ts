import { UsageError } from '../../errors.js';
import { SLOTS, slotOf } from '../../kernels/crc16.js';
import type { KeyHead } from '../../model/handler.js';

/** How a dataset is spread over several outputs. */
export type Split =
  | { readonly kind: 'slots'; readonly ranges: readonly (readonly [first: number, last: number])[] }
  /** Evenly, by slot: keys with one hash tag stay together. */
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'db' };

/** More open files than this at once are not had everywhere. */
const OUTPUTS_MAX = 1024;

/** `slots:0-5460,5461-10922`, `count:4`, `db`. @throws UsageError for anything else, and for ranges that overlap */
export function splitOf(text: string): Split {
  if (text === 'db') return { kind: 'db' };
  const count = /^count:(\d{1,9})$/.exec(text);
  if (count !== null) {
    const number = Number(count[1]);
    if (number >= 1 && number <= OUTPUTS_MAX) return { kind: 'count', count: number };
    throw new UsageError(`--split: '${text}' asks for ${number} outputs`, `give 1 to ${OUTPUTS_MAX}`);
  }
  if (!/^slots:\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) {
    throw new UsageError(
      `--split: '${text}' is no way to split`,
      'give slots:0-8191,8192-16383, count:4 or db',
    );
  }
  return { kind: 'slots', ranges: rangesOf(text) };
}

function rangesOf(text: string): [number, number][] {
  const ranges = text
    .slice('slots:'.length)
    .split(',')
    .map((part): [number, number] => {
      const [first, last = first] = part.split('-').map(Number) as [number, number?];
      return [first, last];
    });
  const wrong = ranges.find(([first, last]) => first > last || last >= SLOTS);
  if (wrong !== undefined) {
    throw new UsageError(`--split: ${wrong.join('-')} is no range of slots`, `slots are 0 to ${SLOTS - 1}`);
  }
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const overlap = sorted.findIndex((range, i) => i > 0 && range[0] <= sorted[i - 1]![1]);
  if (overlap > 0) {
    throw new UsageError(
      `--split: slot ${sorted[overlap]![0]} is in two ranges`,
      'each slot goes into one output',
    );
  }
  if (ranges.length > OUTPUTS_MAX) {
    throw new UsageError(
      `--split: ${ranges.length} outputs are too many`,
      `give at most ${OUTPUTS_MAX} ranges`,
    );
  }
  return ranges;
}

/** Which output a key goes to, and what each is called. */
export class Router {
  /** Marks of the outputs that are known from the start, in order. */
  readonly marks: readonly string[];
  private readonly bySlot: Int16Array | null;
  private readonly count: number;

  constructor(private readonly split: Split | null) {
    this.count = split?.kind === 'count' ? split.count : 0;
    this.bySlot = split?.kind === 'slots' ? new Int16Array(SLOTS).fill(-1) : null;
    this.marks = this.declare();
  }

  private declare(): string[] {
    const { split } = this;
    if (split === null) return [''];
    if (split.kind === 'db') return [];
    if (split.kind === 'count') {
      const digits = String(split.count).length;
      return Array.from({ length: split.count }, (_, i) => `.${String(i + 1).padStart(digits, '0')}`);
    }
    for (const [index, [first, last]] of split.ranges.entries()) this.bySlot!.fill(index, first, last + 1);
    return split.ranges.map(([first, last]) => `.${first}-${last}`);
  }

  /** True when there is one output for every key. */
  get takesAll(): boolean {
    return this.split === null;
  }

  /** Index of the output a key goes to; by database it is that number; -1: none. */
  route(head: KeyHead): number {
    const { split } = this;
    if (split === null) return 0;
    if (split.kind === 'db') return head.database;
    const { bytes, start, end } = head.key;
    const slot = slotOf(bytes, start, end);
    return this.bySlot === null ? Math.floor((slot * this.count) / SLOTS) : this.bySlot[slot]!;
  }
}

/** `dump.rdb` with the mark `.0-8191` is `dump.0-8191.rdb`, `dump.rdb.gz` is `dump.0-8191.rdb.gz`. */
export function markedPath(path: string, mark: string): string {
  if (mark === '') return path;
  const ending = /(\.[A-Za-z0-9]+)?\.(gz|zst|lz4)$|\.[A-Za-z0-9]+$/i.exec(path)?.[0] ?? '';
  return `${path.slice(0, path.length - ending.length)}${mark}${ending}`;
}
