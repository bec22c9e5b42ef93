import type { Long } from '../../src/bytes/int64.js';
import { ByteSlice, sliceOf } from '../../src/bytes/slice.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { type Depth, ITEMS, type ItemHandler, KeyHead, RAW } from '../../src/model/handler.js';
import { idOf, type StreamId } from '../../src/model/stream-id.js';
import { RdbWriter, type RdbWriterOptions } from '../../src/rdb/writer.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { concat, str, u8 } from '../support/rdb-bytes.js';

/** A key by the parts that matter to a test. */
export type HeadParts = Partial<Omit<KeyHead, 'key'>>;

/** A value as the items it is told in. */
export type Item = (handler: ItemHandler) => void;

export const text = (value: string): Item => {
  return (handler) => handler.text(sliceOf(value));
};
export const elements = (...values: string[]): Item => {
  return (handler) => {
    for (const value of values) handler.element(sliceOf(value));
  };
};
export const members = (...pairs: [value: string, score: number][]): Item => {
  return (handler) => {
    for (const [value, score] of pairs) handler.member(sliceOf(value), score);
  };
};
export const fields = (...all: [name: string, value: string, expiresAtMs?: number][]): Item => {
  return (handler) => {
    for (const [name, value, at] of all) handler.field(sliceOf(name), sliceOf(value), at ?? -1);
  };
};
export const raw = (...fragments: Buffer[]): Item => {
  return (handler) => {
    for (const bytes of fragments) handler.raw(new ByteSlice().set(bytes, 0, bytes.length));
  };
};

/** `ms-seq` as an id. */
export function idFrom(value: string): StreamId {
  const [ms, seq] = value.split('-');
  return idOf(BigInt(ms!), BigInt(seq ?? 0));
}
export const entry = (id: string, ...pairs: [name: string, value: string][]): Item => {
  return (handler) => {
    handler.streamEntry(idFrom(id), pairs.length);
    for (const [name, value] of pairs) handler.streamField(sliceOf(name), sliceOf(value));
  };
};
export const counters = (
  length: number,
  lastId: string,
  more: { first?: string; deleted?: string; added?: Long } = {},
): Item => {
  return (handler) =>
    handler.streamMeta({
      length,
      lastId: idFrom(lastId),
      firstId: idFrom(more.first ?? '0-0'),
      maxDeletedId: idFrom(more.deleted ?? '0-0'),
      entriesAdded: more.added ?? length,
    });
};
export const group = (name: string, lastId: string, entriesRead: Long = -1): Item => {
  return (handler) => handler.streamGroup(sliceOf(name), idFrom(lastId), entriesRead);
};
export const pending = (id: string, at: number, count: Long): Item => {
  return (handler) => handler.streamPending(idFrom(id), at, count);
};
export const consumer = (name: string, seenAt: number, activeAt: number, ...ids: string[]): Item => {
  return (handler) => {
    handler.streamConsumer(sliceOf(name), seenAt, activeAt);
    for (const id of ids) handler.streamConsumerPending(idFrom(id));
  };
};

/** Tells one key; the value only if the handler wants it. Returns what it wanted. */
export function tellKey(handler: ItemHandler, name: string, parts: HeadParts, ...items: Item[]): Depth {
  const head = Object.assign(new KeyHead(), parts);
  const bytes = Buffer.from(name, 'latin1');
  head.key.set(bytes, 0, bytes.length);
  const depth = handler.key(head);
  if (depth === ITEMS || depth === RAW) for (const item of items) item(handler);
  handler.keyEnd(head);
  return depth;
}

/** A writer into memory, the losses it reported and what it wrote. */
export function writing(server: string, options: Partial<RdbWriterOptions> = {}) {
  const memory = new MemoryTarget();
  const losses: string[] = [];
  const writer = new RdbWriter(memory, {
    target: RDB_TARGETS.get(server)!,
    compress: true,
    checksum: true,
    copyValues: true,
    aofBase: false,
    nowSeconds: 1772366400,
    onLoss: (head, what) => losses.push(head === null ? what : `${what} ${head.key.latin1()}`),
    ...options,
  });
  return { writer, losses, bytes: () => memory.bytes() };
}

/** The record of one key `k` in database 0: what stands between SELECTDB and the end mark. */
export function record(server: string, parts: HeadParts, ...items: Item[]): Buffer {
  return recordOf(writing(server), server, parts, ...items);
}

/** The same, nothing compressed. */
export function plainRecord(server: string, parts: HeadParts, ...items: Item[]): Buffer {
  return recordOf(writing(server, { compress: false }), server, parts, ...items);
}

function recordOf(
  { writer, bytes }: ReturnType<typeof writing>,
  server: string,
  parts: HeadParts,
  ...items: Item[]
): Buffer {
  tellKey(writer, 'k', parts, ...items);
  writer.finish();
  const whole = bytes();
  const start = whole.indexOf(Buffer.of(254, 0)) + 2;
  const trailer = RDB_TARGETS.get(server)!.checksum ? 9 : 1;
  return Buffer.from(whole.subarray(start, whole.length - trailer));
}

/** A record of the key `k`: type number, name, value. */
export const value = (type: number, ...parts: (string | Uint8Array)[]) =>
  concat(u8(type), str('k'), ...parts);
