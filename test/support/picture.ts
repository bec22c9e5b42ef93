import type { ByteSlice } from '../../src/bytes/slice.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { NdjsonWriter } from '../../src/ndjson/writer.js';
import { RdbRelay } from '../../src/tools/relay.js';
import { decodeInto } from './rdb.js';

/** A key in the words of NDJSON, members of unordered types sorted, without what servers say of themselves. */
export type PicturedKey = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly value: unknown;
};

/** Everything that NDJSON keeps of a dataset. */
export interface Picture {
  /** By `<database> <name, one character per byte>`. */
  readonly keys: ReadonlyMap<string, PicturedKey>;
  /** Sources of function libraries, sorted. */
  readonly functions: readonly unknown[];
  /** Records that modules keep beside their keys. */
  readonly moduleAux: number;
}

/** NDJSON listens to items alone; what stands around them comes through here. */
class AsideRelay extends RdbRelay {
  constructor(private readonly writer: NdjsonWriter) {
    super(writer);
  }

  override moduleAux(fragment: ByteSlice, last: boolean): void {
    this.writer.moduleAux(fragment, last);
  }
}

/** @throws FormatError when the RDB is damaged */
export async function pictureOf(rdb: Buffer): Promise<Picture> {
  const memory = new MemoryTarget();
  const whole = Number.POSITIVE_INFINITY;
  const writer = new NdjsonWriter(memory, { frame: 'lines', lineBytes: whole, textBytes: whole });
  await decodeInto(new AsideRelay(writer), rdb);
  writer.finish();
  const keys = new Map<string, PicturedKey>();
  const functions: unknown[] = [];
  let moduleAux = 0;
  for (const line of memory.bytes().toString('utf8').trimEnd().split('\n').slice(1)) {
    const record = JSON.parse(line);
    if (record.key !== undefined) keys.set(`${record.db} ${nameOf(record.key)}`, pictured(record));
    else if (record.function !== undefined) functions.push(record.function);
    else if (record.moduleAux !== undefined) moduleAux++;
  }
  return { keys, functions: functions.sort(), moduleAux };
}

function nameOf(key: string | { readonly base64: string }): string {
  const bytes = typeof key === 'string' ? Buffer.from(key) : Buffer.from(key.base64, 'base64');
  return bytes.toString('latin1');
}

function pictured({
  db: _db,
  key: _key,
  count: _count,
  fieldsExpire: _expire,
  ...record
}: Record<string, unknown>) {
  const { type, value } = record as unknown as PicturedKey;
  if (type === 'stream')
    return { ...record, type, value: (value as Record<string, unknown>[]).filter(isSaid) };
  if (type !== 'set' && type !== 'hash' && type !== 'zset') return { ...record, type, value };
  const items = (value as unknown[]).map((item) => JSON.stringify(item));
  return { ...record, type, value: items.sort() };
}

/** False for what is the same in a stream that says nothing. */
function isSaid(item: Readonly<Record<string, unknown>>): boolean {
  const configured = item['durationSeconds'] !== undefined;
  if (configured) return item['durationSeconds'] !== 100 || item['entriesMax'] !== 100;
  return item['messagesAdded'] !== 0 || item['duplicates'] !== 0;
}

/** Of a loss what it takes away, as `lossesBetween` finds it. */
const BY_PROPERTY: Readonly<Record<string, string>> = {
  idleSeconds: 'eviction-hint',
  freq: 'eviction-hint',
  metadata: 'key-metadata',
  expiresAtMs: 'expiry-precision',
};
const BY_STREAM_ITEM: Readonly<Record<string, string>> = {
  pending: 'stream-pending',
  released: 'stream-pending',
  durationSeconds: 'stream-producers',
  producer: 'stream-producers',
  message: 'stream-producers',
  messagesAdded: 'stream-producers',
  length: 'stream-counters',
  group: 'stream-counters',
  consumer: 'stream-counters',
};

/** What a key lost, in the words of losses; `changed …` for what none of them names. */
export function lossesBetween(before: PicturedKey, after: PicturedKey | undefined): Set<string> {
  if (after === undefined) return new Set([before.type]);
  const found = new Set<string>();
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (JSON.stringify(before[name]) === JSON.stringify(after[name])) continue;
    if (name !== 'value') found.add(BY_PROPERTY[name] ?? `changed ${name}`);
    else for (const what of valueLosses(before, after)) found.add(what);
  }
  return found;
}

function valueLosses(before: PicturedKey, after: PicturedKey): string[] {
  if (before.type === 'hash') {
    const untimed = (before.value as string[]).map((item) => JSON.stringify(JSON.parse(item).slice(0, 2)));
    const same = JSON.stringify(untimed.sort()) === JSON.stringify(after.value);
    return [same ? 'field-expiry' : 'changed hash'];
  }
  if (before.type !== 'stream') return [`changed ${before.type}`];
  const kept = new Set((after.value as object[]).map((item) => JSON.stringify(item)));
  const gone = (before.value as object[]).filter((item) => !kept.has(JSON.stringify(item)));
  return gone.map((item) => BY_STREAM_ITEM[Object.keys(item)[0]!] ?? `changed ${Object.keys(item)[0]}`);
}
