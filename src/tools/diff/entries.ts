import { highWord, lowWord } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { PassageListener, RecordKernel, TakeBlocks } from '../../kernels/records.js';
import { type Depth, FRAGMENTS, ITEMS, type KeyHead, RAW } from '../../model/handler.js';
import type { Cursor } from '../../rdb/cursor.js';
import { COMMON_TYPE_MAX } from '../../rdb/record-layouts.js';
import { RecordShortcut } from '../record-shortcut.js';
import { HashedSide } from './hashed-side.js';
import type { KeyTable } from './key-table.js';
import { KINDS, type Seeds } from './names.js';
import { SkipPlan } from './passages.js';

/** How a value was hashed, in the number that is hashed with it. Texts have 0, bytes that stand in files their type. */
const BY_ITEMS = 0x100;

/**
 * Makes an entry of every key of a side: hashes of its name and of all that it holds. With `bytes`, values that are
 * no texts are hashed as they stand, which tells equal values of equal encodings only; else by what they mean.
 */
export class EntryMaker extends HashedSide {
  keys = 0;
  private readonly lanes = Buffer.alloc(8);
  private way: 'text' | 'bytes' | 'items' = 'text';

  constructor(
    private readonly kernel: RecordKernel,
    seeds: Seeds,
    private readonly bytes: boolean,
    private readonly take: TakeBlocks,
  ) {
    super(seeds);
  }

  override key(head: KeyHead): Depth {
    const { bytes, start, end } = head.key;
    this.keys++;
    this.kernel.begin(head.database, bytes, start, end);
    this.way = head.kind === 'string' ? 'text' : this.bytes && isCommon(head) ? 'bytes' : 'items';
    if (this.way === 'items') this.hasher.key(head);
    return this.way === 'bytes' ? RAW : head.textBytes >= 0 ? FRAGMENTS : ITEMS;
  }

  override raw(fragment: ByteSlice): void {
    if (this.way === 'items') this.hasher.raw(fragment);
    else this.kernel.update(fragment.bytes, fragment.start, fragment.end);
  }

  override text(value: ByteSlice): void {
    if (this.way === 'items') this.hasher.text(value);
    else this.kernel.update(value.bytes, value.start, value.end);
  }

  override keyEnd(head: KeyHead): void {
    const { kernel, lanes, hasher, way } = this;
    if (way === 'items') {
      hasher.keyEnd(head);
      lanes.writeInt32LE(hasher.value.a, 0);
      lanes.writeInt32LE(hasher.value.b, 4);
      kernel.update(lanes, 0, lanes.length);
    }
    const type = way === 'text' ? 0 : way === 'bytes' ? head.typeId : BY_ITEMS + KINDS.indexOf(head.kind);
    const { expiresAtMs } = head;
    kernel.end(type, head.hasExpiry, highWord(expiresAtMs), lowWord(expiresAtMs), this.take);
  }
}

/** Whether the bytes of a value mean the same in whatever file they stand. */
function isCommon({ typeId, kind }: KeyHead): boolean {
  return typeId > 0 && typeId <= COMMON_TYPE_MAX && kind !== 'module';
}

/** Has the kernel make the entries of all records that it knows. */
export class EntryShortcut extends RecordShortcut {
  constructor(
    private readonly kernel: RecordKernel,
    bytes: boolean,
    private readonly onBlocks: TakeBlocks,
    private readonly passages: PassageListener,
    private readonly pace: { readonly full: boolean },
  ) {
    super(kernel.input, !bytes);
  }

  protected walk({ bytes, position, end, base }: Cursor, database: number): number {
    return this.kernel.gather(bytes, position, end, base, database, this.onBlocks, this.passages);
  }

  protected get full(): boolean {
    return this.pace.full;
  }
}

const NOTHING = new Float64Array(0);

/** Passes over records whose names are not in a table. */
export class Searcher extends RecordShortcut {
  /** Records passed over since it began. */
  passed = 0;
  protected readonly full = false;
  private plan = new SkipPlan(NOTHING);

  /** The kernel must not make entries any more. */
  constructor(
    private readonly kernel: RecordKernel,
    table: KeyTable,
  ) {
    super(kernel.input, false);
    kernel.seekNothing();
    table.forEachName((a, b) => kernel.seek(b, a));
  }

  /** `skips`: parts of the file without any name that is in the table. */
  override begin(skips: Float64Array = NOTHING): void {
    super.begin();
    this.passed = 0;
    this.plan = new SkipPlan(skips);
  }

  protected walk({ bytes, position, end, base }: Cursor, database: number): number {
    const { kernel, plan } = this;
    for (let at = position; ; ) {
      const behind = plan.endOf(base + at) - base;
      if (behind > end) return end;
      if (behind > at) {
        this.passed += plan.records;
        at = behind;
        continue;
      }
      const stop = Math.min(end, plan.start - base);
      const next = kernel.search(bytes, at, stop, base, database);
      this.passed += kernel.input.taken;
      if (next < stop || stop === end) return next;
      at = next;
    }
  }
}
