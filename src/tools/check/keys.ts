import type { Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { RdbCheckKernel, type TakeNames } from '../../kernels/rdb-check.js';
import { type Depth, FRAGMENTS, ITEMS, type KeyHead, SKIP, type StreamMeta } from '../../model/handler.js';
import type { StreamId } from '../../model/stream-id.js';
import type { RdbDecoder } from '../../rdb/decoder.js';
import type { Dialect } from '../../rdb/dialect.js';
import { type RdbHeader, RdbSink, type RdbSummary } from '../../rdb/handler.js';
import type { ToolContext } from '../context.js';
import type { DatasetWatch, NotChecked } from '../report.js';
import { type FindingList, placeOf } from './findings.js';
import { type JoinHelper, KernelNames } from './kernel-names.js';
import { ModuleSense } from './modules.js';
import { NameMemory, type Suspects } from './names.js';
import type { RdbPiece } from './rdb-back.js';
import { CheckShortcut, type PassedKeys } from './shortcut.js';
import { ValueSense } from './values.js';

/** Redis appeared in 2009: a key that expired before was damaged, or given seconds for milliseconds. */
const OLDEST_MS = Date.UTC(2009, 0, 1);
/** A time behind this is one of another unit; the last second of 9999 is how people say never. */
const NEWEST_MS = Date.UTC(10_000, 0, 1);
/** Servers that wrote older versions announced keys that had expired, and did not write them. */
const FIRST_VERSION_WITH_COUNTS = 9;

/** Why duplicates were not looked for. */
export const NO_MEMORY = 'their names take more than --memory allows';

/** Where a decoder stands, and what it has found the dialect to be. */
export type Standpoint = Pick<RdbDecoder, 'offset' | 'dialect'>;

/** A number of keys that a record before them announced. */
interface Announced {
  readonly offset: number;
  readonly keys: number;
  readonly expires: number;
  /** What is meant: `database 0`, `slot 7`. */
  readonly of: string;
  /** Keys of the file before it. */
  readonly keysBefore: number;
  readonly expiresBefore: number;
}

/**
 * Walks every value of an RDB, or with `quick` past every value. Keeps a hash of every name, so that keys that stand
 * twice are found in the end, and nothing else.
 */
export class RdbCheck extends RdbSink implements PassedKeys {
  /** Checks whole records before they are decoded. */
  shortcut: CheckShortcut | null = null;
  summary: RdbSummary | null = null;
  keys = 0;
  /** Of them, those with an expiry. */
  expires = 0;
  version: number | null = null;
  private headerDialect: Dialect | null = null;
  private readonly depth: Depth;
  private names: NameMemory | KernelNames | null;
  private namesBytes = 0;
  private namesLeft = '';
  private selected = 0;
  private inDatabase: Announced | null = null;
  private inSlot: Announced | null = null;
  private head: KeyHead | null = null;
  private oddField = false;
  private readonly sense: ValueSense;
  private readonly moduleSense: ModuleSense;

  constructor(
    private readonly findings: FindingList,
    private readonly quick: boolean,
    private readonly at: () => Standpoint,
    private readonly context: Pick<ToolContext, 'memoryBytes' | 'heldBytes'>,
    private readonly watch: DatasetWatch | null = null,
  ) {
    super();
    this.depth = quick ? SKIP : ITEMS;
    this.sense = new ValueSense(findings);
    this.moduleSense = new ModuleSense(findings);
    this.names = quick ? null : new NameMemory();
  }

  /** Values of modules that could not be looked into. */
  get opaque(): number {
    return this.moduleSense.opaque;
  }

  get dialect(): Dialect | null {
    return this.summary?.dialect ?? this.headerDialect;
  }

  /** Has a kernel check what it can, with the same results; `watch` is told nothing of that. */
  hurry(kernel: RdbCheckKernel, names = new KernelNames(kernel)): void {
    this.shortcut = new CheckShortcut(kernel, this);
    if (this.names !== null) this.names = names;
  }

  /** Takes over what another thread found of the rest of the file. */
  adopt(piece: RdbPiece, at: (offset: number) => void): void {
    const keysBefore = this.keys;
    const expiresBefore = this.expires;
    const [first, second] = piece.names;
    const names = this.names instanceof KernelNames ? this.names : null;
    names?.adopt({ blocks: first!, database: this.selected });
    if (second !== undefined) names?.adopt({ blocks: second, database: 0 });
    for (const { what, keys, expiring, offset, numbers } of piece.between) {
      const [a, b, c] = numbers;
      this.keys = keysBefore + keys;
      this.expires = expiresBefore + expiring;
      at(offset);
      if (what === 'database') this.database(a);
      else if (what === 'resize') this.resize(a, b);
      else this.slotInfo(a, b, c);
    }
    this.keys = keysBefore + piece.keys;
    this.expires = expiresBefore + piece.expiring;
    this.moduleSense.opaque += piece.opaque;
  }

  passed(keys: number, expiring: number): void {
    this.keys += keys;
    this.expires += expiring;
    if (this.names !== null && this.names.heldBytes > this.namesBytes) this.watchMemory();
  }

  get takeNames(): TakeNames | null {
    return this.names instanceof KernelNames ? this.names.take : null;
  }

  /** Names that may have come twice; null when they were not remembered. Their memory is given back. */
  takeSuspects(): Suspects | null {
    const suspects = this.names?.suspects() ?? null;
    if (this.names !== null && suspects === null) this.leaveNames(NO_MEMORY);
    this.names = null;
    return suspects;
  }

  /** The same, half of the work done elsewhere. */
  async takeSuspectsWith(helper: JoinHelper): Promise<Suspects | null> {
    if (!(this.names instanceof KernelNames)) return this.takeSuspects();
    const suspects = await this.names.suspectsWith(helper);
    if (suspects === null) this.leaveNames(NO_MEMORY);
    this.names = null;
    return suspects;
  }

  /** Somebody else remembers them. */
  forgetNames(): void {
    this.names = null;
  }

  /** Nobody does, and why. */
  leaveNames(why: string): void {
    this.names = null;
    this.namesLeft = why;
  }

  override header(header: RdbHeader): void {
    this.version = header.version;
    this.headerDialect = header.dialect;
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.watch?.aux(name.latin1(), value.latin1());
  }

  override database(index: number): void {
    this.endDatabase();
    this.selected = index;
  }

  override resize(keys: number, expires: number): void {
    this.inDatabase = this.announced(keys, expires, `database ${this.selected}`);
  }

  override slotInfo(slot: number, keys: number, expires: number): void {
    this.compare(this.inSlot);
    this.inSlot = this.announced(keys, expires, `slot ${slot}`);
  }

  override key(head: KeyHead): Depth {
    if (head.opaque) this.moduleSense.begin(head);
    else if (head.kind === 'zset' || head.kind === 'stream') this.sense.begin(head);
    const { names } = this;
    if (names !== null) {
      const { bytes, start, end } = head.key;
      if (names.add(head.database, bytes, start, end)) this.watchMemory();
    }
    if (head.hasExpiry) this.expiring(head);
    if (this.watch !== null) this.watch.key(head);
    if (head.fieldsExpire) {
      this.head = head;
      this.oddField = false;
    }
    return this.depth === ITEMS && head.textBytes >= 0 ? FRAGMENTS : this.depth;
  }

  private expiring(head: KeyHead): void {
    this.expires++;
    if (isOdd(head.expiresAtMs)) {
      this.findings.add(
        'rdb/odd-expiry',
        head.offset,
        { expiresAtMs: asDetail(head.expiresAtMs) },
        placeOf(head),
      );
    }
  }

  override field(name: ByteSlice, _value: ByteSlice, expiresAtMs: number): void {
    if (expiresAtMs < 0 || this.oddField || !isOdd(expiresAtMs)) return;
    // One for a hash: the rest of its fields are likely to have the same.
    this.oddField = true;
    const head = this.head!;
    const detail = { field: name.latin1(), expiresAtMs };
    this.findings.add('rdb/odd-expiry', head.offset, detail, placeOf(head));
  }

  override member(value: ByteSlice, score: number): void {
    this.sense.nextMember(value, score);
  }

  override streamEntry(id: StreamId): void {
    this.sense.nextEntry(id);
  }

  override streamMeta(meta: StreamMeta): void {
    this.sense.streamMeta(meta);
  }

  override raw(fragment: ByteSlice): void {
    this.moduleSense.next(fragment);
  }

  override keyEnd(head: KeyHead): void {
    this.keys++;
    if (head.opaque && !this.quick) this.moduleSense.end(head);
  }

  override end(summary: RdbSummary): void {
    this.endDatabase();
    this.summary = summary;
  }

  private announced(keys: number, expires: number, of: string): Announced {
    const { keys: keysBefore, expires: expiresBefore } = this;
    return { offset: this.at().offset, keys, expires, of, keysBefore, expiresBefore };
  }

  private endDatabase(): void {
    this.compare(this.inSlot);
    this.compare(this.inDatabase);
    this.inSlot = this.inDatabase = null;
  }

  private compare(announced: Announced | null): void {
    if (announced === null || (this.version ?? 0) < FIRST_VERSION_WITH_COUNTS) return;
    const { offset, of, keys, expires } = announced;
    const keysSeen = this.keys - announced.keysBefore;
    const expiresSeen = this.expires - announced.expiresBefore;
    // KeyDB counts keys whose members expire, too.
    const sameExpires = expires === expiresSeen || this.at().dialect?.name === 'keydb';
    if (keys === keysSeen && sameExpires) return;
    const differing =
      keys === keysSeen
        ? { announcedExpiring: expires, came: expiresSeen }
        : { announced: keys, came: keysSeen };
    this.findings.add('rdb/count-differs', offset, { of, ...differing });
  }

  private watchMemory(): void {
    this.namesBytes = this.names?.heldBytes ?? 0;
    const { memoryBytes, heldBytes } = this.context;
    if (heldBytes() <= memoryBytes) return;
    this.leaveNames(NO_MEMORY);
  }

  notChecked(path: string): NotChecked[] {
    const list: NotChecked[] = [];
    if (this.version === null) return list;
    const note = (what: string, why: string): void => void list.push({ path, what, why, routine: false });
    const checksum = this.summary?.checksum;
    if (checksum === 'disabled') note('checksum', 'the file was saved without one');
    if (checksum === 'none') note('checksum', `RDB version ${this.version} has none`);
    if (this.namesLeft !== '') note('duplicate keys', this.namesLeft);
    if (this.quick) note('values and names of keys', '--quick walks past them');
    const { opaque } = this.moduleSense;
    if (opaque > 0) {
      const why = 'only the module knows what its bytes mean; their framing is checked';
      note(`values of ${opaque} module keys`, why);
    }
    return list;
  }
}

/** A kernel for `hurry`; null where there is no WebAssembly. */
export const createCheckKernel = (): RdbCheckKernel | null => RdbCheckKernel.create(OLDEST_MS, NEWEST_MS);

const isOdd = (ms: Long): boolean => ms < OLDEST_MS || ms >= NEWEST_MS;

const asDetail = (ms: Long): number | string => (typeof ms === 'number' ? ms : String(ms));
