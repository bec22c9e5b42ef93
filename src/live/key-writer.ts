import { GrowingBytes } from '../bytes/growing-bytes.js';
import type { Long } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import { MemoryTarget } from '../bytes/target.js';
import { CommandEmitter, type EmitLoss } from '../keyspace/emit.js';
import { RespOutput } from '../keyspace/emit-resp.js';
import {
  type CronTimes,
  type Depth,
  ITEMS,
  type ItemHandler,
  type KeyHead,
  SKIP,
  type StreamIdempotence,
  type StreamMeta,
} from '../model/handler.js';
import type { StreamId } from '../model/stream-id.js';
import { lostKind, type ValueLoss } from '../rdb/encode/value-writer.js';
import { PayloadWriter } from '../rdb/writer-payload.js';
import { knowsKind, type RdbTarget } from '../rdb/writer-target.js';
import type { CommandChannel } from './channel.js';
import { countCommands, splitSelect } from './commands.js';

/** What a server had no place for. */
export type SendLoss = ValueLoss | EmitLoss;

export interface KeyWriterOptions {
  /** The server that is to take the keys. */
  readonly target: RdbTarget;
  /** Put keys in the place of those that are there; otherwise these stay, and the reply says so. */
  readonly replace: boolean;
  /** Send small strings some at a time; where one of them is there already none is written, and the reply is 0. */
  readonly batches: boolean;
  /** SET takes PXAT: from 6.2 on. */
  readonly setsExpiry: boolean;
  /** Told once per kind of loss and key; `head` is borrowed. */
  readonly onLoss: (head: KeyHead | null, what: SendLoss) => void;
}

/** Turns keys into commands on a channel, each key whole or not at all. */
export interface KeyWriter extends ItemHandler {
  /** The ticket of every command from now on: the number of the key. */
  ticket: number;
  /** Keys that commands were made of. */
  readonly keys: number;
  /** The last ticket of the batch whose first one this is; itself when it was no batch. */
  lastOf(ticket: number): number;
  /** Hands everything made so far to the channel. */
  flush(): void;
}

/** Where commands go: a channel, or anything that counts. */
export type CommandSink = Pick<CommandChannel, 'write' | 'expect'> &
  ConstructorParameters<typeof RespOutput>[0];

/** Longer expiries than a double holds exactly go through RESTORE, which takes any. */
const SETTABLE_EXPIRY_MAX = Number.MAX_SAFE_INTEGER;

/** Strings of one batch, and the bytes of one and of all that are worth gathering. */
const BATCH_KEYS = 48;
const BATCHED_BYTES_MAX = 1024;
const BATCH_BYTES = 24 * 1024;

/** Small strings on their way into one command. */
class StringBatch {
  count = 0;
  readonly gathered = new GrowingBytes();
  private readonly pairs: RespOutput;

  constructor() {
    const { gathered } = this;
    const into = new MemoryTarget();
    this.pairs = new RespOutput(
      Object.assign(into, {
        write: (bytes: Uint8Array) => gathered.put(bytes as Buffer, 0, bytes.length),
      }),
    );
  }

  add(slice: ByteSlice): void {
    this.pairs.bulk(slice.bytes, slice.start, slice.end);
  }

  /** Ends a pair; true when it is time to send. */
  next(bytes: number): boolean {
    this.bytes += bytes;
    return ++this.count === BATCH_KEYS || this.bytes > BATCH_BYTES;
  }

  private bytes = 0;

  /** Writes the arguments of all pairs and forgets them. */
  tell(output: RespOutput): void {
    this.pairs.flush();
    output.raw(this.gathered.bytes, 0, this.gathered.end);
    this.gathered.reset();
    this.count = this.bytes = 0;
  }
}

/**
 * One command a key: SET for strings, RESTORE with a payload for everything else; MSETNX or MSET for small strings in a
 * row, which halves the work of the server. Expiries are absolute. A key that is past its time is taken and dropped by
 * the server.
 */
export class RestoreWriter implements KeyWriter {
  ticket = 0;
  keys = 0;
  /** False: each string goes by itself. */
  batching: boolean;
  private readonly batch = new StringBatch();
  private batchTicket = -1;
  private batchLast = -1;
  private readonly lasts = new Map<number, number>();
  private readonly output: RespOutput;
  private readonly payload: PayloadWriter;
  /** What a connection begins with. */
  private selected = 0;
  private taken = false;
  private plain = false;
  /** The string at hand: borrowed until its text has come. */
  private head: KeyHead | null = null;

  constructor(
    private readonly into: CommandSink,
    private readonly options: KeyWriterOptions,
  ) {
    this.output = new RespOutput(into);
    this.payload = new PayloadWriter(options.target, false);
    this.batching = options.batches;
  }

  lastOf(ticket: number): number {
    return this.lasts.get(ticket) ?? ticket;
  }

  flush(): void {
    this.endBatch();
    this.output.flush();
  }

  private endBatch(): void {
    const { batch, output } = this;
    if (batch.count === 0) return;
    this.lasts.set(this.batchTicket, this.batchLast);
    output.head(1 + 2 * batch.count);
    output.word(this.options.replace ? 'MSET' : 'MSETNX');
    batch.tell(output);
  }

  database(_index: number): void {}

  functionLibrary(_code: ByteSlice): void {}

  key(head: KeyHead): Depth {
    const { target, onLoss } = this.options;
    this.taken = knowsKind(target, head.kind);
    if (!this.taken) {
      onLoss(head, lostKind(head.kind));
      return SKIP;
    }
    if (head.database !== this.selected) this.select(head.database);
    this.plain = head.kind === 'string' && this.isSettable(head);
    if (this.plain) {
      // Whether it is small enough for a batch shows with its text.
      this.head = head;
      return ITEMS;
    }
    this.endBatch();
    this.payload.begin(head);
    return ITEMS;
  }

  private isSettable(head: KeyHead): boolean {
    if (!head.hasExpiry) return true;
    return this.options.setsExpiry && head.expiresAtMs <= SETTABLE_EXPIRY_MAX;
  }

  private select(database: number): void {
    this.endBatch();
    this.selected = database;
    this.into.expect(this.ticket);
    this.output.head(2);
    this.output.word('SELECT');
    this.output.word(String(database));
  }

  private set(head: KeyHead, value: ByteSlice): void {
    if (this.batching && !head.hasExpiry && value.length <= BATCHED_BYTES_MAX) {
      this.join(head, value);
      return;
    }
    this.endBatch();
    const { output } = this;
    this.into.expect(this.ticket);
    const start = SET_STARTS[(this.options.replace ? 0 : 1) + (head.hasExpiry ? 2 : 0)]!;
    output.raw(start, 0, start.length);
    output.bulk(head.key.bytes, head.key.start, head.key.end);
    output.bulk(value.bytes, value.start, value.end);
    if (!this.options.replace) output.raw(NX, 0, NX.length);
    if (!head.hasExpiry) return;
    output.raw(PXAT, 0, PXAT.length);
    output.word(expiryText(head.expiresAtMs));
  }

  private join({ key }: KeyHead, value: ByteSlice): void {
    const { batch } = this;
    if (batch.count === 0) {
      this.batchTicket = this.ticket;
      this.into.expect(this.ticket);
    }
    batch.add(key);
    batch.add(value);
    this.batchLast = this.ticket;
    if (batch.next(key.length + value.length)) this.endBatch();
  }

  keyEnd(head: KeyHead): void {
    if (!this.taken) return;
    if (this.plain) {
      this.keys++;
      return;
    }
    const written = this.payload.finish();
    for (const what of this.payload.losses) this.options.onLoss(head, what);
    if (!written) return;
    this.restore(head, this.payload.payload());
    this.keys++;
  }

  private restore(head: KeyHead, payload: Buffer): void {
    const { output } = this;
    const { replace, onLoss } = this.options;
    this.into.expect(this.ticket);
    const start = RESTORE_STARTS[(replace ? 1 : 0) + (head.hasExpiry ? 1 : 0)]!;
    output.raw(start, 0, start.length);
    output.bulk(head.key.bytes, head.key.start, head.key.end);
    if (head.hasExpiry) output.word(expiryText(head.expiresAtMs));
    else output.raw(NEVER, 0, NEVER.length);
    output.bulk(payload, 0, payload.length);
    if (replace) output.raw(REPLACE, 0, REPLACE.length);
    if (head.hasExpiry) output.raw(ABSTTL, 0, ABSTTL.length);
    if (head.metadata !== null) onLoss(head, 'key-metadata');
  }

  raw(fragment: ByteSlice): void {
    this.payload.raw(fragment);
  }
  text(value: ByteSlice): void {
    if (this.plain) this.set(this.head!, value);
    else this.payload.text(value);
  }
  element(value: ByteSlice): void {
    this.payload.element(value);
  }
  field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.payload.field(name, value, expiresAtMs);
  }
  member(value: ByteSlice, score: number): void {
    this.payload.member(value, score);
  }
  streamEntry(id: StreamId, fieldCount: number): void {
    this.payload.streamEntry(id, fieldCount);
  }
  streamField(name: ByteSlice, value: ByteSlice): void {
    this.payload.streamField(name, value);
  }
  streamMeta(meta: StreamMeta): void {
    this.payload.streamMeta(meta);
  }
  streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.payload.streamGroup(name, lastId, entriesRead);
  }
  streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    this.payload.streamPending(id, deliveredAtMs, deliveryCount);
  }
  streamConsumer(name: ByteSlice, seenAtMs: Long, activeAtMs: Long): void {
    this.payload.streamConsumer(name, seenAtMs, activeAtMs);
  }
  streamConsumerPending(id: StreamId): void {
    this.payload.streamConsumerPending(id);
  }
  streamReleased(id: StreamId): void {
    this.payload.streamReleased(id);
  }
  streamIdempotence(settings: StreamIdempotence): void {
    this.payload.streamIdempotence(settings);
  }
  streamProducer(name: ByteSlice): void {
    this.payload.streamProducer(name);
  }
  streamProduced(messageId: ByteSlice, id: StreamId): void {
    this.payload.streamProduced(messageId, id);
  }
  streamProducedTotals(added: Long, duplicates: Long): void {
    this.payload.streamProducedTotals(added, duplicates);
  }
  arrayCursor(index: Long): void {
    this.payload.arrayCursor(index);
  }
  arrayElement(index: Long, value: ByteSlice): void {
    this.payload.arrayElement(index, value);
  }
  cron(script: ByteSlice, times: CronTimes, keyCount: number): void {
    this.payload.cron(script, times, keyCount);
  }
  /** Vector sets are restored from their bytes. */
  vectorSet(): void {}
  vector(): void {}
}

/** Names of commands and options as they go out, made once: they are a third of the bytes of a small key. */
const SET_STARTS = [3, 4, 5, 6].map((argc) => Buffer.from(`*${argc}\r\n$3\r\nSET\r\n`));
const NX = Buffer.from('$2\r\nNX\r\n');
const PXAT = Buffer.from('$4\r\nPXAT\r\n');
const RESTORE_STARTS = [4, 5, 6].map((argc) => Buffer.from(`*${argc}\r\n$7\r\nRESTORE\r\n`));
const NEVER = Buffer.from('$1\r\n0\r\n');
const REPLACE = Buffer.from('$7\r\nREPLACE\r\n');
const ABSTTL = Buffer.from('$6\r\nABSTTL\r\n');

/** A time before the epoch is none to a server; its first millisecond is as long ago. */
function expiryText(expiresAtMs: Long): string {
  return expiresAtMs < 1 ? '1' : String(expiresAtMs);
}

/**
 * The commands of a server's own rewrite, in a transaction of each key: for servers that take no payloads. What a key
 * held before goes first when it is to be replaced.
 */
export class TransactionWriter extends CommandEmitter implements KeyWriter {
  ticket = 0;
  private readonly made: MemoryTarget;

  constructor(
    private readonly channel: CommandSink,
    private readonly settings: KeyWriterOptions,
  ) {
    const made = new MemoryTarget();
    super(made, { target: settings.target, onLoss: settings.onLoss });
    this.made = made;
  }

  lastOf(ticket: number): number {
    return ticket;
  }

  /** Nothing waits: each key is handed over as it ends. */
  flush(): void {}

  override functionLibrary(): void {}

  override keyEnd(head: KeyHead): void {
    super.keyEnd(head);
    this.finish();
    const bytes = this.made.bytes();
    const count = countCommands(bytes);
    if (count > 0) this.send(bytes, count, head);
    void this.made.discard();
  }

  private send(bytes: Buffer, count: number, head: KeyHead): void {
    const { replace } = this.settings;
    const [select, rest] = splitSelect(bytes);
    const remove = replace ? commandOf('DEL', head.key.copy()) : EMPTY;
    for (let i = 0; i < count + (replace ? 3 : 2); i++) this.channel.expect(this.ticket);
    for (const part of [select, MULTI, remove, rest, EXEC]) this.channel.write(part);
  }
}

const EMPTY = Buffer.alloc(0);
const MULTI = Buffer.from('*1\r\n$5\r\nMULTI\r\n');
const EXEC = Buffer.from('*1\r\n$4\r\nEXEC\r\n');

function commandOf(name: string, argument: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`*2\r\n$${name.length}\r\n${name}\r\n$${argument.length}\r\n`),
    argument,
    Buffer.from('\r\n'),
  ]);
}
