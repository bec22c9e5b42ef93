import { RDB } from '../fuzz/grammars.js';
import { archived } from '../fuzz/seeds.js';
import { seedsOf } from '../fuzz/targets/rdb.js';
import { THOROUGH } from '../support/effort.js';
import { fileWith, RdbBuilder } from '../support/rdb-builder.js';
import { DIALECT_VALUES } from '../support/rdb-new-values.js';
import { VALUES } from '../support/rdb-values.js';

/** A small file of one kind of value, as one release writes it. */
export interface SmallFile {
  /** `REDIS0011 type 15`. */
  readonly title: string;
  readonly bytes: Buffer;
}

/** Above stand opcodes in front of a key. */
const TYPES = 64;
/** Records beyond this many bytes are taken only where there is no smaller one of their kind. */
const WHOLE_MAX = 512;

/** The smallest file with each type number under each magic that the archives hold. */
export function smallFiles(): SmallFile[] {
  const found = new Map<string, Buffer>();
  for (const bytes of seedsOf(archived('corpus', /\.rdb$/))) {
    const [, record] = RDB.split(bytes) ?? [];
    if (record === undefined || bytes.length > WHOLE_MAX) continue;
    const title = `${bytes.latin1Slice(0, 9)} type ${typeOf(record)}`;
    const before = found.get(title);
    if (before === undefined || bytes.length < before.length) found.set(title, bytes);
  }
  // Types that are rare, or stand in larger records only, put together by hand.
  for (const { what, type, value } of VALUES) found.set(`${what}, type ${type}`, fileWith(12, type, value));
  for (const { what, header, before, type, value } of DIALECT_VALUES) {
    const file = new RdbBuilder(header).raw(before ?? Buffer.alloc(0)).key(type, 'k', value);
    found.set(`${header} ${what}, type ${type}`, file.end());
  }
  return [...found]
    .filter(([title]) => Number(title.split(' ').at(-1)) < TYPES)
    .map(([title, bytes]) => ({ title, bytes }))
    .sort((a, b) => a.title.localeCompare(b.title, 'en', { numeric: true }));
}

/** The type number of a record, behind its expiry and hints. */
function typeOf(record: Buffer): number {
  const skipped: Readonly<Record<number, number>> = { 252: 9, 253: 5, 248: 2, 249: 2 };
  let at = 0;
  for (let step = skipped[record[at]!]; step !== undefined; step = skipped[record[at]!]) at += step;
  return record[at]!;
}

/** A byte for another: the lowest bit, the highest or all of them, the numbers at the edges of what lengths and opcodes mean. */
const SPECIAL = [
  0, 1, 2, 4, 6, 7, 9, 14, 15, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf5, 0xfa, 0xfe, 0xff,
];

/**
 * Every byte with every other value; of files that are larger with each of its bits turned and the values at edges. Where
 * tests are short, one of them for each byte in turn. The bytes are reused for the next change.
 */
export function* changes(
  bytes: Buffer,
  share = 1,
): Generator<{ readonly at: number; readonly changed: Buffer }> {
  const changed = Buffer.from(bytes);
  let turn = 0;
  for (let at = 0; at < bytes.length; at++) {
    const own = bytes[at]!;
    for (const value of valuesFor(own, bytes.length)) {
      if (value === own || (!THOROUGH && turn++ % share !== 0)) continue;
      changed[at] = value;
      yield { at, changed };
    }
    changed[at] = own;
  }
}

const EVERY = Array.from({ length: 256 }, (_, value) => value);
/** Up to here all 255 other values are tried. */
const EVERY_VALUE_MAX = 1024;

function valuesFor(own: number, length: number): Iterable<number> {
  if (length <= EVERY_VALUE_MAX) return EVERY;
  return new Set([...SPECIAL, ...Array.from({ length: 8 }, (_, bit) => own ^ (1 << bit))]);
}
