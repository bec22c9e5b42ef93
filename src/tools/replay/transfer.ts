import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryTarget } from '../../bytes/target.js';
import type { ReplyTaker } from '../../live/channel.js';
import type { ClusterConnection } from '../../live/cluster.js';
import { argumentsOf, splitSelect } from '../../live/commands.js';
import { isReplyError } from '../../live/connection.js';
import { RestoreWriter } from '../../live/key-writer.js';
import { type Depth, type ItemHandler, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import { ItemRelay } from '../relay.js';
import { type LaneOptions, type Lanes, MOVED, ReplyFailure } from './lanes.js';
import type { KeyNumbers } from './present.js';
import type { ProgressRecord, TransferProgress } from './progress-record.js';
import type { Pacer } from './rate.js';
import type { Selection } from './selection.js';

export interface TransferOptions {
  readonly selection: Selection;
  /** Number of its keys. */
  readonly keys: number;
  /** Where an earlier run got to; null: this is the first. */
  readonly resumed: TransferProgress | null;
  /** Keys that the target has and that stay as they are; null: none. */
  readonly kept: KeyNumbers | null;
  readonly record: ProgressRecord | null;
  readonly pacer: Pacer;
  readonly databaseOf: (head: KeyHead) => number;
  readonly lanes: (taker: ReplyTaker) => Promise<Lanes>;
  readonly laneOptions: LaneOptions;
  readonly cluster: ClusterConnection | null;
  readonly signal: AbortSignal;
  readonly progress: (keys: number) => void;
}

/** Keys between two records of progress. */
const RECORD_EVERY = 10_000;
/** Keys that go one by one at the same time, where a cluster has moved them. */
const MOVED_AT_ONCE = 64;
const BUSY = /^BUSYKEY /;

/** One run of keys into a target: in the order of the selection, recorded as it is acknowledged. */
export class Transfer implements ReplyTaker {
  /** Keys that came to be there between the first look and the write: they stay as they are. */
  readonly surprises: number[] = [];
  /** Keys that an earlier run had put there beyond what it recorded. */
  alreadyIn = 0;
  /** Keys sent in this run. */
  sent = 0;
  bytes = 0;
  private next = 0;
  /** No key from here on is sent before that is recorded. */
  private bound = Number.POSITIVE_INFINITY;
  private readonly from: number;
  private readonly moved = new Set<number>();
  private firstMoved = Number.POSITIVE_INFINITY;
  private firstRefused = Number.POSITIVE_INFINITY;
  private lanes: Lanes | null = null;

  constructor(private readonly options: TransferOptions) {
    this.from = options.resumed?.done ?? 0;
  }

  /** Keys acknowledged, of those in front of any that is not: those of earlier runs too. */
  get acknowledged(): number {
    const here = Math.min(this.next, this.lanes?.oldest ?? 0, this.firstMoved, this.firstRefused);
    return Math.max(this.from, here);
  }

  /** @throws ReplyFailure for what the target refuses, OutputError when it is gone, the signal's reason */
  async run(): Promise<void> {
    const { selection, signal } = this.options;
    const lanes = await this.options.lanes(this);
    this.lanes = lanes;
    const abort = () => lanes.fail(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await this.record();
      const router = new Router(this, lanes);
      await selection.tell(router, () => this.drain(lanes));
      await lanes.settle();
      if (this.options.cluster === null) await this.resendSingly(lanes);
      else await this.resendMoved();
      this.bytes = lanes.bytes;
    } catch (error) {
      // As near to the end as can be, for whoever resumes; the record may be in the target that died.
      await this.record().catch(() => {});
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
      lanes.close();
    }
  }

  private async drain(lanes: Lanes): Promise<void> {
    const { pacer, signal, progress } = this.options;
    await lanes.drain();
    signal.throwIfAborted();
    const wait = pacer.waitMs(lanes.bytes, this.sent);
    if (wait > 0) await sleep(wait, undefined, { signal });
    if (this.next >= this.bound) await this.record();
    progress(this.next);
  }

  /** Records how far it got, and how far it will go before the next record. */
  private async record(): Promise<void> {
    const { record } = this.options;
    if (record === null) return;
    this.bound = Math.max(this.next, this.from) + RECORD_EVERY;
    // What an earlier run may have sent beyond its record may still be there in this one.
    const bound = Math.max(this.bound, this.options.resumed?.bound ?? 0);
    await record.save({ done: this.acknowledged, bound });
  }

  private isMeant(number: number): boolean {
    return number >= this.from && this.options.kept?.has(number) !== true;
  }

  /** True when the key of that number is to be sent; counted as passed either way. */
  admit(): boolean {
    const number = this.next++;
    if (!this.isMeant(number)) return false;
    this.sent++;
    return true;
  }

  /** Number of the key that was admitted last. */
  get number(): number {
    return this.next - 1;
  }

  mustPause(lanes: Lanes): boolean {
    const { pacer } = this.options;
    if (this.next >= this.bound || lanes.full) return true;
    // Bytes that wait in a writer are not counted yet: near enough for a rate.
    return pacer.limits && pacer.waitMs(lanes.bytes, this.sent) > 0;
  }

  databaseOf(head: KeyHead): number {
    return this.options.databaseOf(head);
  }

  /** Strings of batches that were refused, as one of them was in the way: each by itself finds out which. */
  private async resendSingly(lanes: Lanes): Promise<void> {
    if (this.moved.size === 0) return;
    await this.options.selection.tell(new Again(this, lanes, this.moved), () => lanes.drain());
    await lanes.settle();
    this.firstMoved = Number.POSITIVE_INFINITY;
  }

  /** Moved keys are few: each goes by itself through the cluster's own client, which follows them. */
  private async resendMoved(): Promise<void> {
    if (this.moved.size === 0) return;
    const { selection, cluster, laneOptions } = this.options;
    const sender = new MovedSender(this.moved, cluster!, laneOptions, (number, message) => {
      if (BUSY.test(message)) this.inTheWay(number);
      else throw new ReplyFailure(number, message);
    });
    await selection.tell(sender, () => sender.settle());
    await sender.settle();
    this.firstMoved = Number.POSITIVE_INFINITY;
  }

  done(): void {}

  absent(ticket: number): void {
    this.inTheWay(ticket);
  }

  /** How many of a batch of strings were set: none, where one of them was there. */
  integer(ticket: number, value: number): void {
    if (value > 0) return;
    for (const { writer } of this.lanes!.all) {
      const last = writer.lastOf(ticket);
      for (let number = ticket; number <= last; number++) if (this.isMeant(number)) this.move(number);
    }
  }

  failed(ticket: number, message: string): void {
    if (BUSY.test(message)) this.inTheWay(ticket);
    else if (this.options.cluster !== null && MOVED.test(message)) this.move(ticket);
    else this.refuse(ticket, message);
  }

  /** The first refusal ends it: what was sent behind may be in, or not. */
  private refuse(ticket: number, message: string): void {
    this.firstRefused = Math.min(this.firstRefused, ticket);
    this.lanes?.fail(new ReplyFailure(ticket, message));
  }

  private move(ticket: number): void {
    this.moved.add(ticket);
    this.firstMoved = Math.min(this.firstMoved, ticket);
  }

  /** A key is there although it was not expected. */
  private inTheWay(ticket: number): void {
    this.sent--;
    if (ticket < (this.options.resumed?.bound ?? 0)) this.alreadyIn++;
    else this.surprises.push(ticket);
  }
}

/** Hands each key to the server that takes it. */
class Router extends ItemRelay {
  constructor(
    private readonly transfer: Transfer,
    private readonly lanes: Lanes,
  ) {
    super(NOWHERE);
  }

  get full(): boolean {
    return this.transfer.mustPause(this.lanes);
  }

  override database(): void {}

  override functionLibrary(): void {}

  override key(head: KeyHead): Depth {
    this.target = NOWHERE;
    if (!this.transfer.admit()) return SKIP;
    const { writer } = this.lanes.of(head);
    this.target = writer;
    writer.ticket = this.transfer.number;
    const { database } = head;
    head.database = this.transfer.databaseOf(head);
    const depth = writer.key(head);
    head.database = database;
    return depth;
  }
}

const NOWHERE: ItemHandler = new ItemSink();

/** Hands some keys, by their numbers, to the server once more, each by itself. */
class Again extends ItemRelay {
  private number = -1;

  constructor(
    private readonly transfer: Transfer,
    private readonly lanes: Lanes,
    private readonly wanted: ReadonlySet<number>,
  ) {
    super(NOWHERE);
    for (const { writer } of lanes.all) if (writer instanceof RestoreWriter) writer.batching = false;
  }

  get full(): boolean {
    return this.lanes.full;
  }

  override database(): void {}

  override functionLibrary(): void {}

  override key(head: KeyHead): Depth {
    this.target = NOWHERE;
    if (!this.wanted.has(++this.number)) return SKIP;
    const { writer } = this.lanes.of(head);
    this.target = writer;
    writer.ticket = this.number;
    const { database } = head;
    head.database = this.transfer.databaseOf(head);
    const depth = writer.key(head);
    head.database = database;
    return depth;
  }
}

/** Sends some keys one by one through a cluster's client. */
class MovedSender extends ItemRelay {
  private readonly made = new MemoryTarget();
  private readonly writer: RestoreWriter;
  private readonly pending: Promise<void>[] = [];
  private number = -1;

  constructor(
    private readonly wanted: ReadonlySet<number>,
    private readonly cluster: ClusterConnection,
    options: LaneOptions,
    private readonly refused: (number: number, message: string) => void,
  ) {
    super(NOWHERE);
    this.writer = new RestoreWriter(Object.assign(this.made, { expect: () => {} }), options);
  }

  get full(): boolean {
    return this.pending.length >= MOVED_AT_ONCE;
  }

  override database(): void {}

  override functionLibrary(): void {}

  override key(head: KeyHead): Depth {
    this.target = this.wanted.has(++this.number) ? this.writer : NOWHERE;
    return this.target.key(head);
  }

  override keyEnd(head: KeyHead): void {
    super.keyEnd(head);
    if (this.target === NOWHERE) return;
    this.writer.flush();
    if (this.made.size === 0) return;
    const [, command] = splitSelect(Buffer.from(this.made.bytes()));
    void this.made.discard();
    const sending = this.send(argumentsOf(command), this.number);
    sending.catch(() => {}); // told by `settle`
    this.pending.push(sending);
  }

  private async send(args: readonly Buffer[], number: number): Promise<void> {
    try {
      const reply = await this.cluster.send(args);
      if (reply === null) this.refused(number, 'BUSYKEY it is there');
    } catch (error) {
      if (!isReplyError(error)) throw error;
      this.refused(number, error.message);
    }
  }

  /** Resolves when all that was sent is answered. */
  async settle(): Promise<void> {
    await Promise.all(this.pending);
    this.pending.length = 0;
  }
}
