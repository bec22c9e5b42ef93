// What the parts of key names look like: where one may end, and what in it is only a number or an id.

/** Bytes at which names are taken apart, and how much a separator is one: `user_profile:1` parts at the colon. */
const WEIGHTS: readonly (readonly [character: string, weight: number])[] = [
  [':', 1],
  ['/', 0.95],
  ['|', 0.95],
  ['#', 0.7],
  ['.', 0.7],
  ['@', 0.5],
  ['-', 0.5],
  ['_', 0.5],
];

export const SEPARATORS = WEIGHTS.length;
/** Separators from this weight on part a name wherever they stand; the others must have shown that they group. */
const STRONG = 0.9;

/** Index of a separator from 1 on, by its byte; 0: none. */
const SEPARATOR_OF = new Uint8Array(256);
for (const [i, [character]] of WEIGHTS.entries()) SEPARATOR_OF[character.charCodeAt(0)] = i + 1;
const WEIGHT_OF = Float64Array.of(0, ...WEIGHTS.map(([, weight]) => weight));

/** How good each separator is at one place of the tree: 0 is tried first. */
export type SeparatorRanks = Uint8Array;
const NEVER = 255;

const OTHER = 0;
const DIGIT = 1;
const HEX = 2;
const LETTER = 3;
const CONTROL = 4;
const CLASS_OF = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const character = String.fromCharCode(byte);
  if (byte < 0x20 || byte === 0x7f) CLASS_OF[byte] = CONTROL;
  else if (/[0-9]/.test(character)) CLASS_OF[byte] = DIGIT;
  else if (/[a-fA-F]/.test(character)) CLASS_OF[byte] = HEX;
  else if (/[a-zA-Z]/.test(character) || byte >= 0x80) CLASS_OF[byte] = LETTER;
}

const STAR = 42;
const DASH = 45;
const BACKSLASH = 92;
/** What a pattern needs an escape for. */
const SPECIAL = markOf('*?[\\');
/** Between two stars these are part of one number: dates, versions, addresses, ids. */
const JOINS = markOf('-._+,');

function markOf(characters: string): Uint8Array {
  const mark = new Uint8Array(256);
  for (const character of characters) mark[character.charCodeAt(0)] = 1;
  return mark;
}

const UUID_BYTES = 36;
/** A digit run from this length on is a number even inside a word. */
const LONG_RUN = 3;

/** The position of the separator that ends the segment at `start`, or -1 when the rest is one segment. */
export function separatorAt(bytes: Uint8Array, start: number, end: number, ranks: SeparatorRanks): number {
  let best = NEVER;
  let found = -1;
  for (let at = start; at < end; at++) {
    const separator = SEPARATOR_OF[bytes[at]!]!;
    if (separator === 0) continue;
    const rank = ranks[separator]!;
    if (rank >= best || !parts(bytes, start, at, end, separator)) continue;
    best = rank;
    found = at;
    if (rank === 0) break;
  }
  return found;
}

/** False for a weak separator inside a number, a date or a UUID. */
function parts(bytes: Uint8Array, start: number, at: number, end: number, separator: number): boolean {
  if (WEIGHT_OF[separator]! >= STRONG) return true;
  if (at > start && at + 1 < end && isDigit(bytes[at - 1]!) && isDigit(bytes[at + 1]!)) return false;
  return bytes[at] !== DASH || !insideUuid(bytes, start, at, end);
}

function insideUuid(bytes: Uint8Array, start: number, at: number, end: number): boolean {
  for (const offset of UUID_DASHES) if (isUuid(bytes, at - offset, start, end)) return true;
  return false;
}

const UUID_DASHES = [8, 13, 18, 23] as const;

function isUuid(bytes: Uint8Array, at: number, start: number, end: number): boolean {
  if (at < start || at + UUID_BYTES > end) return false;
  for (const dash of UUID_DASHES) if (bytes[at + dash] !== DASH) return false;
  for (let i = at; i < at + UUID_BYTES; i++) {
    const kind = CLASS_OF[bytes[i]!]!;
    if (kind !== DIGIT && kind !== HEX && bytes[i] !== DASH) return false;
  }
  return true;
}

const isDigit = (byte: number): boolean => CLASS_OF[byte] === DIGIT;

/**
 * Ranks separators by what they make of a sample of names: a good one stands in most of them, and what comes before it
 * is often the same.
 */
export function rankSeparators(names: readonly Uint8Array[], writer: SegmentWriter): SeparatorRanks {
  const ranks = new Uint8Array(SEPARATORS + 1).fill(NEVER);
  const scores: [separator: number, score: number][] = [];
  const only = new Uint8Array(SEPARATORS + 1);
  for (let separator = 1; separator <= SEPARATORS; separator++) {
    only.fill(NEVER)[separator] = 0;
    const firsts = new Set<string>();
    let having = 0;
    for (const name of names) {
      const at = separatorAt(name, 0, name.length, only);
      if (at < 0) continue;
      having++;
      firsts.add(writer.write(name, 0, at, false).text());
    }
    const weight = WEIGHT_OF[separator]!;
    const grouped = having === 0 ? 0 : 1.05 - (firsts.size - 1) / having;
    const score = (having / names.length) * weight * grouped;
    if (weight >= STRONG || score >= WEAK_SCORE_MIN) scores.push([separator, score + weight * 1e-6]);
  }
  scores.sort((a, b) => b[1] - a[1]);
  for (const [rank, [separator]] of scores.entries()) ranks[separator] = rank;
  return ranks;
}

const WEAK_SCORE_MIN = 0.12;
/** Longer segments are no names. */
const SEGMENT_BYTES_MAX = 80;

/** Writes segments as a pattern has them: numbers and ids as `*`, what a pattern would take for its own escaped. */
export class SegmentWriter {
  readonly bytes = Buffer.alloc(2 * SEGMENT_BYTES_MAX + 8);
  length = 0;
  /** Of the bytes written. */
  hash = 0;

  text(): string {
    return this.bytes.latin1Slice(0, this.length);
  }

  copy(): Uint8Array {
    return ownBytes(this.bytes, 0, this.length);
  }

  writeStar(): this {
    this.length = 0;
    this.star();
    return this;
  }

  /** A segment that was written before, with every digit in it a number. */
  foldDigits(written: Uint8Array, start: number, end: number): this {
    this.length = 0;
    for (let at = start; at < end; at++) {
      const byte = written[at]!;
      if (isDigit(byte) || byte === STAR) this.star();
      else {
        if (byte === BACKSLASH) this.bytes[this.length++] = written[at++]!;
        this.bytes[this.length++] = written[at]!;
      }
    }
    return this;
  }

  /** `digits`: every digit is a number, not only long runs of them. */
  write(from: Uint8Array, start: number, end: number, digits: boolean): this {
    this.length = 0;
    if (end - start > SEGMENT_BYTES_MAX) this.star();
    else if (!this.writeWords(from, start, end, digits)) {
      this.length = 0;
      this.star();
    }
    return this;
  }

  /** Ends the segment, with the separator if there is one. */
  close(separator: number): void {
    if (separator >= 0) this.bytes[this.length++] = separator;
    let hash = 0x811c9dc5;
    for (let i = 0; i < this.length; i++) hash = Math.imul(hash ^ this.bytes[i]!, 0x01000193);
    this.hash = hash ^ (hash >>> 15);
  }

  /** False when there are bytes that no name has. */
  private writeWords(from: Uint8Array, start: number, end: number, digits: boolean): boolean {
    for (let at = start; at < end; ) {
      const kind = CLASS_OF[from[at]!]!;
      if (kind === CONTROL) return false;
      if (kind === OTHER) this.put(from[at++]!);
      else at = this.writeWord(from, at, end, digits);
    }
    return true;
  }

  private writeWord(from: Uint8Array, start: number, end: number, digits: boolean): number {
    let at = start;
    let digitCount = 0;
    let others = 0;
    let changes = 0;
    let before = OTHER;
    for (; at < end; at++) {
      const kind = CLASS_OF[from[at]!]!;
      if (kind === OTHER || kind === CONTROL) break;
      if (kind === DIGIT) digitCount++;
      else if (kind === LETTER) others++;
      if (before !== OTHER && (kind === DIGIT) !== (before === DIGIT)) changes++;
      before = kind;
    }
    const length = at - start;
    if (length === 8 && others === 0 && isUuid(from, start, start, end)) {
      this.star();
      return start + UUID_BYTES;
    }
    if (digitCount === 0) this.append(from, start, at);
    else if (digitCount === length || isId(length, digitCount, others, changes)) this.star();
    else this.copyWithoutNumbers(from, start, at, digits ? 1 : LONG_RUN);
    return at;
  }

  private copyWithoutNumbers(from: Uint8Array, start: number, end: number, runMin: number): void {
    for (let at = start; at < end; ) {
      let stop = at;
      while (stop < end && isDigit(from[stop]!)) stop++;
      if (stop - at >= runMin) this.star();
      else this.append(from, at, stop);
      at = stop;
      if (at < end) this.bytes[this.length++] = from[at++]!;
    }
  }

  private append(from: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) this.bytes[this.length++] = from[at]!;
  }

  private put(byte: number): void {
    if (SPECIAL[byte] === 1) this.bytes[this.length++] = BACKSLASH;
    this.bytes[this.length++] = byte;
  }

  /** One star for numbers that stand next to each other. */
  private star(): void {
    const { bytes, length } = this;
    if (length > 0 && this.isStar(length - 1)) return;
    if (length > 1 && JOINS[bytes[length - 1]!] === 1 && this.isStar(length - 2)) this.length--;
    else bytes[this.length++] = STAR;
  }

  private isStar(at: number): boolean {
    return this.bytes[at] === STAR && (at === 0 || this.bytes[at - 1] !== BACKSLASH);
  }
}

/** A copy that keeps no other memory alive: a small Buffer would keep the block that it is cut from. */
export function ownBytes(from: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  for (let at = start; at < end; at++) copy[at - start] = from[at]!;
  return copy;
}

/** Hexadecimal of eight digits and more, and words in which digits and letters are mixed as no one names things. */
function isId(length: number, digits: number, others: number, changes: number): boolean {
  if (others === 0 && length >= 8) return true;
  if (length >= 16) return digits >= 2;
  return length >= 6 && changes >= 4;
}
