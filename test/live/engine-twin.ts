import { expect } from 'vitest';
import type { Long } from '../../src/bytes/int64.js';
import type { ByteSlice } from '../../src/bytes/slice.js';
import { Engine } from '../../src/keyspace/engine.js';
import { STREAM_OBJECT, ZSET } from '../../src/keyspace/forms.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { ListCursor } from '../../src/keyspace/lists.js';
import { APPLIED } from '../../src/keyspace/outcome.js';
import type { StreamValue } from '../../src/keyspace/stream/stream.js';
import { ZsetView } from '../../src/keyspace/zsets.js';
import { ItemSink, type StreamMeta } from '../../src/model/handler.js';
import { formatId, type StreamId } from '../../src/model/stream-id.js';
import { CommandSpans } from '../../src/resp/command.js';
import type { TestServer } from '../support/server.js';

export type Argument = string | Buffer;

const HOUR_MS = 3_600_000;

/** A server and an embedded engine that are given the same commands. */
export class Twin {
  readonly engine = new Engine(new Keyspace(), { nowMs: Date.now(), scoreText: '17g', release: 700 });
  /** The last commands, for messages. */
  private readonly recent: string[] = [];

  constructor(readonly server: TestServer) {}

  /** Runs a command on both, which must agree whether it is refused. Resolves to whether it was executed. */
  async run(...args: Argument[]): Promise<boolean> {
    this.recent.push(args.map((arg) => arg.toString('latin1').slice(0, 60)).join(' '));
    if (this.recent.length > 12) this.recent.shift();
    let refusal = '';
    try {
      const bytes = args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg, 'latin1') : arg));
      await this.server.client.callBuffer(args[0]!.toString(), ...bytes.slice(1));
    } catch (error) {
      refusal = (error as Error).message;
    }
    const applied = this.engine.execute(CommandSpans.of(...args)) === APPLIED;
    if (applied !== (refusal === '')) {
      expect.fail(`${this.context}\nserver: ${refusal}\nengine: ${applied ? '' : this.engine.lastError}`);
    }
    return applied;
  }

  get context(): string {
    return this.recent.join('\n');
  }

  /** The entry of a key in the engine, or -1. */
  entryOf(key: string): number {
    return this.engine.find(CommandSpans.of(key), 0);
  }

  /** Holds a string key equal, absence included. */
  async compareString(key: string): Promise<void> {
    const truth = await this.server.client.getBuffer(key);
    const entry = this.entryOf(key);
    const own = entry < 0 ? null : this.engine.db.getString(entry, this.engine.slice).copy();
    expect(own?.toString('latin1') ?? null, `${key}\n${this.context}`).toBe(
      truth?.toString('latin1') ?? null,
    );
  }

  /** Holds a key equal that is a stream, a string or absent. */
  async compareStreamOrString(key: string): Promise<void> {
    const type = await this.server.client.type(key);
    if (type === 'string') await this.compareString(key);
    else await this.compareStream(key);
  }

  /** Holds a list key equal, absence included. */
  async compareList(key: string): Promise<void> {
    const truth = (await this.server.client.lrangeBuffer(key, 0, -1)).map(text);
    const entry = this.entryOf(key);
    const own: string[] = [];
    if (entry >= 0) {
      const cursor = new ListCursor().open(this.engine.db, entry);
      while (cursor.next()) own.push(cursor.element.latin1());
    }
    expect(own, `${key}\n${this.context}`).toEqual(truth);
  }

  /** Holds a sorted set equal, the sign of zeros included. */
  async compareZset(key: string): Promise<void> {
    expect(this.sortedSetOfEngine(key), `${key}\n${this.context}`).toEqual(await this.sortedSetOfServer(key));
  }

  /** Members of a sorted set with their scores on the server, in order. */
  async sortedSetOfServer(key: string): Promise<[string, number][]> {
    const reply = (await this.server.client.callBuffer(
      'ZRANGE',
      key,
      '0',
      '-1',
      'WITHSCORES',
    )) as unknown[][];
    return reply.map(([member, score]) => [text(member), Number(text(score).replace('inf', 'Infinity'))]);
  }

  /** Members of a sorted set with their scores in the engine, in order. */
  sortedSetOfEngine(key: string): [string, number][] {
    const entry = this.entryOf(key);
    const own: [string, number][] = [];
    if (entry < 0) return own;
    expect(this.engine.db.kindAt(entry), key).toBe(ZSET);
    const view = new ZsetView().open(this.engine.db, entry);
    view.select(0, view.size);
    for (let rank = 0; rank < view.size; rank++) {
      view.seek(rank);
      own.push([view.member.latin1(), view.score]);
    }
    return own;
  }

  /** Holds a stream equal: entries, counters, groups, pending entries and their times. */
  async compareStream(key: string): Promise<void> {
    const entry = this.entryOf(key);
    const exists = (await this.server.client.exists(key)) === 1;
    expect(entry >= 0, `${key} exists\n${this.context}`).toBe(exists);
    if (!exists) return;
    expect(this.engine.db.formAt(entry)).toBe(STREAM_OBJECT);
    const reply = await this.server.client.callBuffer('XINFO', 'STREAM', key, 'FULL', 'COUNT', '0');
    const truth = streamTruth(reply as unknown[]);
    const listener = new StreamListener(this.engine.nowMs);
    const stream = this.engine.db.objectAt(entry) as StreamValue;
    stream.tell(listener);
    listener.result.meta['nodes'] = String(stream.entries.blockCount);
    expect(listener.result, `${key}\n${this.context}`).toEqual(truth);
  }
}

/** A stream as both sides describe it; texts are one character per byte. */
interface StreamPicture {
  entries: [string, ...string[]][];
  meta: Record<string, string>;
  groups: {
    name: string;
    lastId: string;
    entriesRead: number;
    pending: string[];
    consumers: { name: string; pending: string[] }[];
  }[];
}

/** Times that come from a clock are all the same in a picture. */
function timeText(ms: Long, nowMs: number): string {
  return Math.abs(Number(ms) - nowMs) < HOUR_MS ? 'now' : String(ms);
}

function streamTruth(reply: unknown[]): StreamPicture {
  const info = mapOf(reply);
  const nowMs = Date.now();
  return {
    entries: (info.get('entries') as unknown[][]).map(
      ([id, fields]) => [text(id), ...(fields as unknown[]).map(text)] as [string, ...string[]],
    ),
    meta: {
      nodes: text(info.get('radix-tree-keys')),
      length: text(info.get('length')),
      lastId: text(info.get('last-generated-id')),
      firstId: text(info.get('recorded-first-entry-id')),
      maxDeletedId: text(info.get('max-deleted-entry-id')),
      entriesAdded: text(Number(info.get('entries-added'))),
    },
    groups: (info.get('groups') as unknown[][]).map(mapOf).map((group) => ({
      name: text(group.get('name')),
      lastId: text(group.get('last-delivered-id')),
      entriesRead: Number(group.get('entries-read') ?? -1),
      pending: (group.get('pending') as unknown[][]).map(
        ([id, , ms, count]) => `${text(id)} ${timeText(Number(ms), nowMs)} ${Number(count)}`,
      ),
      consumers: (group.get('consumers') as unknown[][]).map(mapOf).map((consumer) => ({
        name: text(consumer.get('name')),
        pending: (consumer.get('pending') as unknown[][]).map(([id]) => text(id)),
      })),
    })),
  };
}

function mapOf(flat: unknown[]): Map<string, unknown> {
  const map = new Map<string, unknown>();
  for (let i = 0; i < flat.length; i += 2) map.set(text(flat[i]), flat[i + 1]);
  return map;
}

function text(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : String(value);
}

/** Collects what a stream tells of itself. */
export class StreamListener extends ItemSink {
  readonly result: StreamPicture = { entries: [], meta: {}, groups: [] };

  constructor(private readonly nowMs: number) {
    super();
  }

  override streamEntry(id: StreamId): void {
    this.result.entries.push([formatId(id)]);
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    this.result.entries.at(-1)!.push(name.latin1(), value.latin1());
  }

  override streamMeta(meta: StreamMeta): void {
    this.result.meta = {
      length: String(meta.length),
      lastId: formatId(meta.lastId),
      firstId: formatId(meta.firstId),
      maxDeletedId: formatId(meta.maxDeletedId),
      entriesAdded: String(Number(meta.entriesAdded)),
    };
  }

  override streamGroup(name: ByteSlice, lastId: StreamId, entriesRead: Long): void {
    this.result.groups.push({
      name: name.latin1(),
      lastId: formatId(lastId),
      entriesRead: Number(entriesRead),
      pending: [],
      consumers: [],
    });
  }

  override streamPending(id: StreamId, deliveredAtMs: Long, deliveryCount: Long): void {
    const time = timeText(deliveredAtMs, this.nowMs);
    this.result.groups.at(-1)!.pending.push(`${formatId(id)} ${time} ${Number(deliveryCount)}`);
  }

  override streamConsumer(name: ByteSlice): void {
    this.result.groups.at(-1)!.consumers.push({ name: name.latin1(), pending: [] });
  }

  override streamConsumerPending(id: StreamId): void {
    this.result.groups.at(-1)!.consumers.at(-1)!.pending.push(formatId(id));
  }
}
