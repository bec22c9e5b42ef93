import { ByteSlice } from '../../bytes/slice.js';
import { parseDouble } from '../../kernels/doubles.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { LIST, PACKED_LIST, SET, ZSET } from '../forms.js';
import { indexAt, longOf } from '../integers.js';
import { ListCursor, pushTail } from '../lists.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import { partialSort } from '../partial-sort.js';
import { SetCursor } from '../sets.js';
import { SortPattern } from '../sort-pattern.js';
import { ZsetView } from '../zsets.js';
import { beginResult, storeResult } from './result.js';
import type { CommandRow } from './row.js';

/** Sorting; without STORE it changes nothing. */
export const sortCommands: readonly CommandRow[] = [{ name: 'SORT', arity: -2, apply: sort }];

/** What the options of SORT say. */
interface Options {
  descending: boolean;
  alpha: boolean;
  skip: number;
  /** Negative: no limit. */
  count: number;
  by: SortPattern | null;
  readonly gets: SortPattern[];
  /** Argument that names the destination; 0: none. */
  target: number;
}

function sort(engine: Engine, command: CommandSpans): Outcome {
  const options = readOptions(engine, command);
  if (options === null) return FAILED;
  if (options.target === 0 && !isSortable(engine, command)) return engine.wrongType();
  if (options.target === 0) return APPLIED;
  const chosen = choose(engine, command, options);
  if (chosen === null) return FAILED;
  const result = beginResult(engine, PACKED_LIST);
  for (const text of chosen) storeOne(engine, result, text, options.gets);
  storeResult(engine, command, options.target, chosen.length);
  return APPLIED;
}

/** What SORT without STORE replies, null where a GET finds nothing; null for all when it is refused. */
export function sortedTexts(engine: Engine, command: CommandSpans): (string | null)[] | null {
  const options = readOptions(engine, command);
  const chosen = options === null ? null : choose(engine, command, options);
  if (options === null || chosen === null) return null;
  const { gets } = options;
  if (gets.length === 0) return chosen;
  return chosen.flatMap((text) =>
    gets.map((get) => {
      if (get.isElement) return text;
      return get.lookup(engine.db, text, found) ? found.latin1() : null;
    }),
  );
}

function isSortable(engine: Engine, command: CommandSpans): boolean {
  const entry = engine.find(command, 1);
  const kind = entry < 0 ? LIST : engine.db.kindAt(entry);
  return kind === LIST || kind === SET || kind === ZSET;
}

/** The elements that are asked for in their order; null when the command is refused. */
function choose(engine: Engine, command: CommandSpans, options: Options): string[] | null {
  if (!isSortable(engine, command)) {
    engine.wrongType();
    return null;
  }
  const entry = engine.find(command, 1);
  const kind = entry < 0 ? LIST : engine.db.kindAt(entry);
  const unsorted = options.by !== null && !options.by.varies;
  if (unsorted && kind === SET) {
    // A set has no order of its own: servers sort it, so that every copy of the log stores the same.
    options.by = null;
    options.alpha = true;
  }
  // The server turns the sorted set into a skiplist to walk it, and leaves it that way.
  if (kind === ZSET) engine.db.mark(entry);
  const texts = entry < 0 ? [] : elementsOf(engine, entry, kind);
  const from = Math.min(Math.max(options.skip, 0), texts.length);
  const to = options.count < 0 ? texts.length : Math.min(texts.length, from + options.count);
  if (unsorted && kind !== SET) {
    if (options.descending) texts.reverse();
    return texts.slice(from, to);
  }
  const items = weigh(engine, texts, options);
  if (items === null) {
    engine.fail("ERR One or more scores can't be converted into double");
    return null;
  }
  order(items, options, from, to);
  return items.slice(from, to).map(({ text }) => text);
}

function readOptions(engine: Engine, command: CommandSpans): Options | null {
  const options: Options = {
    descending: false,
    alpha: false,
    skip: 0,
    count: -1,
    by: null,
    gets: [],
    target: 0,
  };
  for (let i = 2; i < command.argc; i++) {
    const left = command.argc - i - 1;
    if (command.is(i, 'ASC')) options.descending = false;
    else if (command.is(i, 'DESC')) options.descending = true;
    else if (command.is(i, 'ALPHA')) options.alpha = true;
    else if (left >= 2 && command.is(i, 'LIMIT')) {
      options.skip = indexAt(command, i + 1);
      options.count = indexAt(command, i + 2);
      if (Number.isNaN(options.skip) || Number.isNaN(options.count)) {
        engine.notInteger();
        return null;
      }
      i += 2;
    } else if (left >= 1 && command.is(i, 'STORE')) options.target = ++i;
    else if (left >= 1 && command.is(i, 'BY')) options.by = patternAt(command, ++i);
    else if (left >= 1 && command.is(i, 'GET')) options.gets.push(patternAt(command, ++i));
    else {
      engine.syntaxError();
      return null;
    }
  }
  return options;
}

function patternAt(command: CommandSpans, i: number): SortPattern {
  return new SortPattern(Buffer.from(command.bytes.subarray(command.starts[i]!, command.ends[i]!)));
}

/** The elements as texts of one character per byte: lists and sorted sets in their order. */
function elementsOf(engine: Engine, entry: number, kind: number): string[] {
  const texts: string[] = [];
  if (kind === LIST) {
    const cursor = new ListCursor().open(engine.db, entry);
    while (cursor.next()) texts.push(cursor.element.latin1());
  } else if (kind === SET) {
    const cursor = new SetCursor().open(engine.db, entry);
    let integers = true;
    while (cursor.next()) {
      const { bytes, start, end } = cursor.member;
      integers &&= longOf(bytes, start, end) !== null;
      texts.push(cursor.member.latin1());
    }
    // Sets of integers are walked from the lowest; for others only the server knows the order.
    if (integers) texts.sort(compareIntegers);
  } else {
    const view = new ZsetView().open(engine.db, entry);
    view.select(0, view.size);
    for (let rank = 0; rank < view.size; rank++) {
      view.seek(rank);
      texts.push(view.member.latin1());
    }
  }
  return texts;
}

function compareIntegers(a: string, b: string): number {
  return Number(a) - Number(b) || Number(BigInt(a) - BigInt(b));
}

interface Item {
  readonly text: string;
  readonly score: number;
  /** What to compare by, of a pattern; null: it found nothing. */
  readonly by: string | null;
}

/** Looks up what to sort by; null when something is no number and should be one. */
function weigh(engine: Engine, texts: readonly string[], options: Options): Item[] | null {
  const { by, alpha } = options;
  const slice = new ByteSlice();
  const items: Item[] = [];
  for (const text of texts) {
    if (by !== null && !by.lookup(engine.db, text, slice)) items.push({ text, score: 0, by: null });
    else if (alpha) items.push({ text, score: 0, by: by === null ? text : slice.latin1() });
    else {
      const score = numberOf(by === null ? text : slice.latin1());
      if (Number.isNaN(score)) return null;
      items.push({ text, score, by: null });
    }
  }
  return items;
}

const MIN_NORMAL = 2.2250738585072014e-308;

/** A text as C's strtod reads it, which SORT calls itself: blanks may lead, and nothing at all is zero. */
function numberOf(text: string): number {
  const bytes = bytesOf(text);
  const zero = text.indexOf('\0');
  const end = zero < 0 ? text.length : zero;
  if (end === 0) return 0;
  let start = 0;
  while (start < end && (bytes[start] === 0x20 || (bytes[start]! >= 9 && bytes[start]! <= 13))) start++;
  const value = parseDouble(bytes, start, end);
  return value !== 0 && Math.abs(value) < MIN_NORMAL ? Number.NaN : value;
}

/** Sorts as far as the range `[from, to)` needs it, equal items as the server's sort leaves them. */
function order(items: Item[], options: Options, from: number, to: number): void {
  const sign = options.descending ? -1 : 1;
  const compare = options.alpha ? compareTexts : compareScores;
  const signed = (a: Item, b: Item): number => sign * compare(a, b);
  if (options.by !== null && (from !== 0 || to !== items.length)) partialSort(items, signed, from, to - 1);
  else items.sort(signed);
}

function compareScores(a: Item, b: Item): number {
  if (a.score !== b.score) return a.score > b.score ? 1 : -1;
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

function compareTexts(a: Item, b: Item): number {
  if (a.by === b.by) return 0;
  if (a.by === null) return -1;
  return b.by === null || a.by > b.by ? 1 : -1;
}

let scratch = Buffer.allocUnsafeSlow(256);
const found = new ByteSlice();

function storeOne(engine: Engine, result: number, text: string, gets: readonly SortPattern[]): void {
  const list = engine.keyspace.scratch;
  if (gets.length === 0) {
    pushText(engine, result, text);
    return;
  }
  for (const get of gets) {
    if (get.isElement) pushText(engine, result, text);
    else if (get.lookup(engine.db, text, found)) pushTail(list, result, found.bytes, found.start, found.end);
    else pushTail(list, result, scratch, 0, 0);
  }
}

function pushText(engine: Engine, result: number, text: string): void {
  pushTail(engine.keyspace.scratch, result, bytesOf(text), 0, text.length);
}

/** The bytes of a text, from 0 on, until the next call. */
function bytesOf(text: string): Buffer {
  if (text.length > scratch.length) scratch = Buffer.allocUnsafeSlow(text.length * 2);
  scratch.latin1Write(text, 0);
  return scratch;
}
