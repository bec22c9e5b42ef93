import { addLong, highWord, type Long, lowWord } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import { writeUint64 } from '../kernels/decimal.js';
import { DOUBLE_TEXT_MAX, write17g, writeShortest } from '../kernels/doubles.js';
import { digestHex, RunningSha1, SHA1_WORDS, sha1, sha1OfDigest } from '../kernels/sha1.js';
import {
  type CronTimes,
  type Depth,
  ELEMENTS,
  FRAGMENTS,
  ItemSink,
  type KeyHead,
  type PackedVector,
  type VectorSetShape,
} from './handler.js';
import { OBJECT_TYPE, type ValueKind } from './kind.js';
import type { StreamId } from './stream-id.js';

/** What a family of servers puts into DEBUG DIGEST. Digests compare within one family only. */
export interface DigestFamily {
  /** How a sorted-set score is printed: `%.17g`, or the shortest form of Grisu2. */
  readonly scoreText: '17g' | 'shortest';
  /** Whether it counts that a hash field has a TTL (never which). */
  readonly fieldTtls: boolean;
  /** Whether hash fields past their TTL are left out. */
  readonly skipsExpiredFields: boolean;
  /** Documents of the JSON module have a digest of their own: those of Valkey do. */
  readonly digestsJson?: boolean;
}

const TODAYS_REDIS: DigestFamily = {
  scoreText: 'shortest',
  fieldTtls: true,
  skipsExpiredFields: false,
};

const JSON_MODULE = 'ReJSON-RL';
/** Types of modules that never had a digest of their own: of their values only the kind counts. */
const UNDIGESTED: ReadonlySet<string> = new Set([
  JSON_MODULE,
  'MBbloom--',
  'MBbloomCF',
  'CMSk-TYPE',
  'TopK-TYPE',
  'TDIS-TYPE',
  'TSDB-TYPE',
]);

/**
 * The family of a server: `redis`, `valkey`, `keydb` and a version such as `7.0.15` or `7.2`. Release candidates number
 * themselves below the release (7.3.240). Anything unknown counts as today's Redis.
 */
export function digestFamilyOf(product: string, version: string): DigestFamily {
  if (product === 'valkey') {
    return { scoreText: 'shortest', fieldTtls: false, skipsExpiredFields: true, digestsJson: true };
  }
  if (product === 'keydb') {
    return { scoreText: '17g', fieldTtls: false, skipsExpiredFields: false };
  }
  const match = /^(\d+)(?:\.(\d+))?/.exec(version);
  if (product !== 'redis' || match === null) return TODAYS_REDIS;
  const release = Number(match[1]) * 1000 + Number(match[2] ?? 0);
  return {
    scoreText: release >= 7001 ? 'shortest' : '17g',
    fieldTtls: release >= 7003,
    skipsExpiredFields: false,
  };
}

export interface DigestOptions extends DigestFamily {
  /** The clock that `expired` counts against, and that skips fields where the family does; null: none. */
  readonly nowMs: number | null;
  /** Called after each key with what DEBUG DIGEST-VALUE prints for it; null for a value that counts as opaque. */
  readonly onKey: ((head: KeyHead, valueDigest: string | null) => void) | null;
}

/** The words of SHA-1 of a short text. */
function wordsOf(...bytes: readonly number[]): Int32Array {
  const words = new Int32Array(SHA1_WORDS);
  sha1(Uint8Array.from(bytes), 0, bytes.length, words);
  return words;
}

const textWords = (text: string): Int32Array => wordsOf(...Buffer.from(text, 'latin1'));

const DOT = 46;
/** Gaps of an array that are gone through one by one, as servers do: beyond it they would never come to an end. */
const GAPS_MAX = 1 << 24;

const GAP = textWords('(null)');
const EXPIRE_MARK = textWords('!!expire!!');
const FIELD_EXPIRE_MARK = textWords('!!hexpire!!');
const TYPE_WORDS = new Map<ValueKind, Int32Array>(
  Object.entries(OBJECT_TYPE).map(([kind, number]) => [kind as ValueKind, wordsOf(0, 0, 0, number)]),
);

function xor(into: Int32Array, words: Int32Array): void {
  into[0]! ^= words[0]!;
  into[1]! ^= words[1]!;
  into[2]! ^= words[2]!;
  into[3]! ^= words[3]!;
  into[4]! ^= words[4]!;
}

/** The servers' mixDigest, given SHA-1 of the data: order matters. */
function mix(into: Int32Array, words: Int32Array): void {
  xor(into, words);
  sha1OfDigest(into, into);
}

const hashed = new Int32Array(SHA1_WORDS);

/** mixDigest of bytes. */
function mixBytes(into: Int32Array, bytes: Uint8Array, start: number, end: number): void {
  sha1(bytes, start, end, hashed);
  mix(into, hashed);
}

const pair = new Int32Array(SHA1_WORDS);
const numberText = Buffer.alloc(2 * DOUBLE_TEXT_MAX);

/** Starts `pair` with its first half: into nothing, mixing is hashing twice. */
function beginPair(first: ByteSlice): void {
  sha1(first.bytes, first.start, first.end, pair);
  sha1OfDigest(pair, pair);
}

/**
 * Computes the forty digits of DEBUG DIGEST from a dataset told item by item. Keys and databases may come in any order:
 * each database has an accumulator of its own, and they are chained in the end. Makes no objects per item.
 */
export class DigestHandler extends ItemSink {
  /** Keys that entered the digest. */
  keys = 0;
  /** Values of modules that are left out: their digest is their own. */
  opaque = 0;
  /** Arrays that are left out: they have more gaps than anyone can go through. */
  gaping = 0;
  /** Keys whose expiry lies before `nowMs`. They count in the digest all the same. */
  expired = 0;
  /** Scores of -0, which servers digest by the encoding they happen to have. */
  negativeZeros = 0;

  private understood = true;
  private vectorsTold = false;
  /** What the elements of a vector set add up to. */
  private readonly vectors = new Int32Array(SHA1_WORDS);
  /** Gaps of the array at hand so far, and the index that comes next. */
  private gaps = 0;
  private nextIndex: Long = 0;

  private readonly databases = new Map<number, Int32Array>();
  private current = -1;
  private ordered = false;
  private isCron = false;
  private inFragments = false;
  /** Of a text that comes in fragments. */
  private readonly running = new RunningSha1();
  private accumulator: Int32Array = new Int32Array(SHA1_WORDS);
  private readonly whole = new Int32Array(SHA1_WORDS);
  private readonly value = new Int32Array(SHA1_WORDS);
  private readonly withValues: boolean;
  private readonly writeScore: typeof writeShortest;
  private readonly fieldDeadlineMs: number;

  constructor(private readonly options: DigestOptions) {
    super();
    this.withValues = options.onKey !== null;
    this.writeScore = options.scoreText === '17g' ? write17g : writeShortest;
    this.fieldDeadlineMs = options.skipsExpiredFields ? (options.nowMs ?? 0) : 0;
  }

  /** Forty lower-case hexadecimal digits; all zero for no keys. May be called at any time between keys. */
  result(): string {
    const final = new Int32Array(SHA1_WORDS);
    for (const index of [...this.databases.keys()].sort((a, b) => a - b)) {
      mix(final, wordsOf(index >>> 24, index >>> 16, index >>> 8, index));
      xor(final, this.databases.get(index)!);
    }
    return digestHex(final);
  }

  override key(head: KeyHead): Depth {
    if (head.hasExpiry && this.options.nowMs !== null && head.expiresAtMs < this.options.nowMs)
      this.expired++;
    if (head.database !== this.current) this.enter(head.database);
    this.understood = head.kind !== 'module' || this.isUndigested(head.moduleName);
    this.gaps = 0;
    this.nextIndex = 0;
    this.ordered = head.kind === 'list';
    this.isCron = head.kind === 'cron';
    this.inFragments = head.textBytes >= 0;
    sha1(head.key.bytes, head.key.start, head.key.end, this.whole);
    sha1OfDigest(this.whole, this.whole);
    const type = TYPE_WORDS.get(head.kind)!;
    mix(this.whole, type);
    if (this.withValues) {
      this.value.fill(0);
      mix(this.value, type);
    }
    return head.textBytes >= 0 ? FRAGMENTS : ELEMENTS;
  }

  override text(value: ByteSlice): void {
    if (this.inFragments) this.running.update(value.bytes, value.start, value.end);
    else this.mixIn(value.bytes, value.start, value.end);
  }

  override element(value: ByteSlice): void {
    if (this.isCron) return;
    if (this.ordered) {
      this.mixIn(value.bytes, value.start, value.end);
      return;
    }
    sha1(value.bytes, value.start, value.end, hashed);
    this.xorIn();
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    const expires = expiresAtMs !== -1;
    if (expires && expiresAtMs < this.fieldDeadlineMs) return;
    beginPair(name);
    sha1(value.bytes, value.start, value.end, hashed);
    mix(pair, hashed);
    if (expires && this.options.fieldTtls) xor(pair, FIELD_EXPIRE_MARK);
    sha1OfDigest(pair, hashed);
    this.xorIn();
  }

  override member(value: ByteSlice, score: number): void {
    if (score === 0 && Object.is(score, -0)) this.negativeZeros++;
    beginPair(value);
    sha1(numberText, 0, this.writeScore(score, numberText, 0), hashed);
    mix(pair, hashed);
    sha1OfDigest(pair, hashed);
    this.xorIn();
  }

  override streamEntry(id: StreamId, _fieldCount: number): void {
    let at = writeUint64(id.msHigh, id.msLow, numberText, 0);
    numberText[at++] = DOT;
    at = writeUint64(id.seqHigh, id.seqLow, numberText, at);
    this.mixIn(numberText, 0, at);
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    this.mixIn(name.bytes, name.start, name.end);
    this.mixIn(value.bytes, value.start, value.end);
  }

  override arrayElement(index: Long, value: ByteSlice): void {
    const gaps = Number(index) - Number(this.nextIndex);
    this.gaps += gaps;
    if (this.gaps > GAPS_MAX) {
      this.understood = false;
      return;
    }
    for (let i = 0; i < gaps; i++) {
      mix(this.whole, GAP);
      if (this.withValues) mix(this.value, GAP);
    }
    this.nextIndex = addLong(index, 1);
    this.mixIn(value.bytes, value.start, value.end);
  }

  override cron(script: ByteSlice, { interval }: CronTimes): void {
    numberText.writeUInt32LE(lowWord(interval), 0);
    numberText.writeUInt32LE(highWord(interval), 4);
    this.mixIn(numberText, 0, 8);
    this.mixIn(script.bytes, script.start, script.end);
  }

  override vectorSet({ elements, dimensions }: VectorSetShape): void {
    this.understood = this.vectorsTold = true;
    this.vectors.fill(0);
    const count = Buffer.from(`${elements}`);
    pair.fill(0);
    mixBytes(pair, count, 0, count.length);
    const size = Buffer.from(`${dimensions}`);
    mixBytes(pair, size, 0, size.length);
    this.endSequence();
  }

  override vector(element: ByteSlice, attributes: ByteSlice, { blob, emptyAttributes }: PackedVector): void {
    beginPair(blob);
    mixBytes(pair, element.bytes, element.start, element.end);
    if (attributes.length > 0 || emptyAttributes === true)
      mixBytes(pair, attributes.bytes, attributes.start, attributes.end);
    this.endSequence();
  }

  /** What was mixed into `pair` is one item of the module's, whose place does not count. */
  private endSequence(): void {
    sha1OfDigest(pair, hashed);
    xor(this.vectors, hashed);
  }

  private endVectors(): void {
    this.vectorsTold = false;
    sha1OfDigest(this.vectors, hashed);
    this.xorIn();
  }

  override keyEnd(head: KeyHead): void {
    if (this.vectorsTold) this.endVectors();
    if (this.inFragments) this.endText();
    if (!this.understood) {
      if (head.kind === 'array') this.gaping++;
      else this.opaque++;
      this.options.onKey?.(head, null);
      return;
    }
    this.keys++;
    if (head.hasExpiry) {
      xor(this.whole, EXPIRE_MARK);
      if (this.withValues) xor(this.value, EXPIRE_MARK);
    }
    sha1OfDigest(this.whole, hashed);
    xor(this.accumulator, hashed);
    if (this.withValues) this.options.onKey?.(head, digestHex(this.value));
  }

  /** What the keys of each database add up to: `add` of another digest takes it in. */
  sums(): (readonly [database: number, words: Int32Array])[] {
    return [...this.databases];
  }

  /** Takes in keys that somebody else digested: what they add up to. */
  add(database: number, words: Int32Array, keys: number, expired: number): void {
    if (database !== this.current) this.enter(database);
    xor(this.accumulator, words);
    this.keys += keys;
    this.expired += expired;
  }

  private isUndigested(module: string): boolean {
    return UNDIGESTED.has(module) && !(module === JSON_MODULE && this.options.digestsJson === true);
  }

  private endText(): void {
    this.inFragments = false;
    this.running.finish(hashed);
    this.mixHashed();
  }

  /** An item whose place counts. */
  private mixIn(bytes: Uint8Array, start: number, end: number): void {
    sha1(bytes, start, end, hashed);
    this.mixHashed();
  }

  private mixHashed(): void {
    mix(this.whole, hashed);
    if (this.withValues) mix(this.value, hashed);
  }

  /** An item, hashed, whose place does not count. */
  private xorIn(): void {
    xor(this.whole, hashed);
    if (this.withValues) xor(this.value, hashed);
  }

  private enter(database: number): void {
    let accumulator = this.databases.get(database);
    if (accumulator === undefined) {
      accumulator = new Int32Array(SHA1_WORDS);
      this.databases.set(database, accumulator);
    }
    this.current = database;
    this.accumulator = accumulator;
  }
}
