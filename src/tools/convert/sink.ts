import type { Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { UsageError } from '../../errors.js';
import { type Depth, type ItemHandler, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import { NdjsonWriter } from '../../ndjson/writer.js';
import type { Shortcut } from '../../rdb/shortcut.js';
import { ItemRelay } from '../relay.js';
import { LineShortcut } from './line-shortcut.js';
import type { KeyNames } from './names.js';
import type { ConvertOutput, DatasetWriter } from './output.js';
import type { Router } from './split.js';

const NOBODY = new ItemSink();

/** Hands every key to the output it belongs to, and what concerns no key to all of them. */
export class OutputRouter extends ItemRelay {
  /** Keys that no output of a split took. */
  unrouted = 0;
  private taken = false;

  constructor(
    private readonly outputs: ReadonlyMap<number, ConvertOutput>,
    private readonly router: Router,
  ) {
    super(NOBODY);
  }

  /** Where everything goes that concerns no key. */
  *writers(): Generator<DatasetWriter, void, void> {
    for (const { writer } of this.outputs.values()) yield writer;
  }

  override database(_index: number): void {}

  /** A shorter way from the records of an RDB to the only output, where there is one. */
  shortcut(): Shortcut | null {
    const writer = this.router.takesAll ? this.outputs.get(0)?.writer : undefined;
    const made = writer instanceof NdjsonWriter ? LineShortcut.create(writer) : null;
    if (made === null) return null;
    // What is told of keys that went that way belongs to the same output.
    this.target = writer!;
    this.taken = true;
    return made;
  }

  /** No key has come yet whose further fields would be told. */
  forget(): void {
    this.taken = false;
  }

  override memberExpiry(member: ByteSlice, expiresAtMs: Long): void {
    if (this.taken) super.memberExpiry(member, expiresAtMs);
  }

  override key(head: KeyHead): Depth {
    const output = this.outputs.get(this.router.route(head));
    this.taken = output !== undefined;
    if (output === undefined) {
      this.unrouted++;
      return SKIP;
    }
    this.target = output.writer;
    return this.target.key(head);
  }

  override keyEnd(head: KeyHead): void {
    if (this.taken) this.target.keyEnd(head);
  }

  /** True when some output is. */
  get full(): boolean {
    for (const { writer } of this.outputs.values()) if (writer.full) return true;
    return false;
  }

  async drain(): Promise<void> {
    for (const { writer } of this.outputs.values()) if (writer.full) await writer.drain();
  }
}

/** What happens to a key whose name there was before. */
export type OnDuplicate = 'first' | 'last' | 'error';

/** Lets the first key of each name through. */
export class DuplicateGate extends ItemRelay {
  private passing = false;

  constructor(
    target: ItemHandler,
    private readonly names: KeyNames,
    private readonly onDuplicate: OnDuplicate,
    private readonly shown: (name: string) => string,
    private readonly onLeftOut: () => void,
  ) {
    super(target);
  }

  override key(head: KeyHead): Depth {
    this.passing = this.names.add(head.database, head.key);
    if (this.passing) return this.target.key(head);
    this.onLeftOut();
    if (this.onDuplicate === 'error') {
      throw new UsageError(
        `key ${this.shown(head.key.latin1())} of database ${head.database} comes twice`,
        'give --on-duplicate first or last to keep one of them',
      );
    }
    return SKIP;
  }

  override keyEnd(head: KeyHead): void {
    if (this.passing) this.target.keyEnd(head);
  }
}
