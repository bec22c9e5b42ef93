import type { ByteSlice } from '../../../bytes/slice.js';
import type { ByteTarget } from '../../../bytes/target.js';
import { CommandEmitter } from '../../../keyspace/emit.js';
import { type Depth, type ItemHandler, ItemSink, type KeyHead } from '../../../model/handler.js';
import { RdbWriter } from '../../../rdb/writer.js';
import type { RdbTarget } from '../../../rdb/writer-target.js';
import { ItemRelay } from '../../relay.js';
import { LOSSES_LISTED, type Loss } from '../../write-dataset.js';

/** As what a part is written, and for which server. Plain data. */
export interface EncodeRequest {
  readonly commands: boolean;
  readonly target: RdbTarget;
}

/** Some records of one database. */
export interface PartBlock {
  /** -1: function libraries, which come first. */
  readonly database: number;
  readonly bytes: Uint8Array;
  /** Whether it ends where a record does. */
  readonly whole: boolean;
}

/** What a part could not say. Plain data. */
export interface PartLosses {
  readonly lost: readonly Loss[];
  readonly lostCount: number;
}

const BLOCK_BYTES = 256 * 1024;
/** Databases ascend from here. */
const NO_DATABASE = -1;

/** Turns the keys of a part into blocks of records, databases ascending, that others can put together with more. */
export class PartEncoder extends ItemRelay implements PartLosses {
  readonly lost: Loss[] = [];
  lostCount = 0;
  private readonly sink = new BlockSink();
  private writer: (ItemHandler & { finish(): void }) | null = null;

  constructor(private readonly request: EncodeRequest) {
    super(new ItemSink());
  }

  /** True when there are blocks to take. */
  get full(): boolean {
    return this.sink.ready.length > 0;
  }

  /** The blocks that are ready. */
  take(): PartBlock[] {
    return this.sink.ready.splice(0);
  }

  /** Ends the block at hand, where a record ends. */
  finish(): void {
    this.writer?.finish();
    this.sink.end();
  }

  override functionLibrary(code: ByteSlice): void {
    if (this.writer === null) this.begin(NO_DATABASE);
    super.functionLibrary(code);
  }

  override database(index: number): void {
    this.begin(index);
    super.database(index);
  }

  override key(head: KeyHead): Depth {
    // What belongs to a key may still follow its end: a block ends when the next begins.
    if (this.sink.pending >= BLOCK_BYTES) this.finish();
    return super.key(head);
  }

  private begin(database: number): void {
    this.finish();
    this.sink.database = database;
    const { target, commands } = this.request;
    const { sink, onLoss } = this;
    this.writer = commands
      ? new CommandEmitter(sink, { target, onLoss })
      : new RdbWriter(sink, {
          ...{ target, onLoss, compress: true, checksum: false, copyValues: false, fragment: true },
          ...{ aofBase: false, nowSeconds: 0 },
        });
    this.target = this.writer;
  }

  private readonly onLoss = (head: KeyHead | null, what: Loss['what']): void => {
    if (++this.lostCount > LOSSES_LISTED) return;
    this.lost.push({ database: head?.database ?? null, key: head?.key.latin1() ?? null, what });
  };
}

/** Gathers what a writer writes in blocks that own their memory, so that they can change threads. */
class BlockSink implements ByteTarget {
  readonly label = '';
  readonly full = false;
  size = 0;
  /** Bytes since the last end of a record that ended a block. */
  pending = 0;
  database = NO_DATABASE;
  readonly ready: PartBlock[] = [];
  private block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  private filled = 0;

  write(bytes: Uint8Array): void {
    this.size += bytes.length;
    this.pending += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      if (this.filled === BLOCK_BYTES) this.hand(false);
      const count = Math.min(bytes.length - at, BLOCK_BYTES - this.filled);
      this.block.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
    }
  }

  end(): void {
    if (this.pending > 0) this.hand(true);
    this.pending = 0;
  }

  private hand(whole: boolean): void {
    this.ready.push({ database: this.database, bytes: this.block.subarray(0, this.filled), whole });
    this.block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.filled = 0;
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  publish(): Promise<void> {
    return Promise.resolve();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }
}
