import type { Answer, Reply } from '../../live/connection.js';
import { idOf, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import type {
  RedisValue,
  StreamConsumer,
  StreamEntry,
  StreamGroup,
  StreamPending,
  StreamProducers,
} from '../../model/value.js';

type StreamValue = Extract<RedisValue, { kind: 'stream' }>;

/** A stream, and what of it XINFO does not tell. */
export interface ToldStream {
  readonly value: StreamValue;
  readonly untold: readonly string[];
}

/** What XINFO STREAM … FULL COUNT 0 says. @throws Error when that is no stream */
export function streamOf(answer: Answer): ToldStream {
  const fields = fieldsOf(answer);
  const entries = listOf(fields.get('entries')).map(entryOf);
  const groups = listOf(fields.get('groups')).map(groupOf);
  const lastId = idIn(fields.get('last-generated-id'));
  const firstId = fields.has('recorded-first-entry-id')
    ? idIn(fields.get('recorded-first-entry-id'))
    : (entries[0]?.id ?? ZERO_ID);
  const untold: string[] = [];
  if (numberIn(fields.get('pids-tracked')) > 0) untold.push('messages that producers sent');
  if (groups.some(({ released }) => released > 0)) untold.push('entries that consumers gave back');
  return {
    value: {
      kind: 'stream',
      entries,
      meta: {
        length: entries.length,
        lastId,
        firstId,
        maxDeletedId: idIn(fields.get('max-deleted-entry-id')),
        entriesAdded: fields.has('entries-added') ? numberIn(fields.get('entries-added')) : entries.length,
      },
      groups: groups.map(({ group }) => group),
      producers: producersOf(fields),
    },
    untold,
  };
}

function producersOf(fields: ReadonlyMap<string, Reply>): StreamProducers | null {
  if (!fields.has('idmp-duration')) return null;
  return {
    durationSeconds: numberIn(fields.get('idmp-duration')),
    entriesMax: numberIn(fields.get('idmp-maxsize')),
    producers: [],
    added: numberIn(fields.get('iids-added')),
    duplicates: numberIn(fields.get('iids-duplicates')),
  };
}

function entryOf(reply: Reply): StreamEntry {
  const [id, words] = listOf(reply);
  const texts = listOf(words).map(bytesIn);
  const fields: [Buffer, Buffer][] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) fields.push([texts[i]!, texts[i + 1]!]);
  return { id: idIn(id), fields };
}

function groupOf(reply: Reply): { group: StreamGroup; released: number } {
  const fields = fieldsOf(reply);
  const pending: StreamPending[] = pendingOf(fields).map((each) => {
    const [id, , deliveredAtMs, deliveryCount] = listOf(each);
    return {
      id: idIn(id),
      deliveredAtMs: numberIn(deliveredAtMs),
      deliveryCount: numberIn(deliveryCount),
    };
  });
  const entriesRead = fields.get('entries-read');
  const group = {
    name: bytesIn(fields.get('name')),
    lastId: idIn(fields.get('last-delivered-id')),
    entriesRead: typeof entriesRead === 'number' ? entriesRead : null,
    pending,
    consumers: listOf(fields.get('consumers')).map(consumerOf),
    released: [],
  };
  return { group, released: numberIn(fields.get('nacked-count')) };
}

function consumerOf(reply: Reply): StreamConsumer {
  const fields = fieldsOf(reply);
  const seenAtMs = numberIn(fields.get('seen-time'));
  // Servers before 7.2 know but one of the two times.
  const activeAtMs = fields.has('active-time') ? numberIn(fields.get('active-time')) : seenAtMs;
  return {
    name: bytesIn(fields.get('name')),
    seenAtMs,
    activeAtMs: activeAtMs < 0 ? null : activeAtMs,
    pending: pendingOf(fields).map((each) => idIn(listOf(each)[0])),
  };
}

/** Called `pel` in the manual, and so by some servers. */
const pendingOf = (fields: ReadonlyMap<string, Reply>): readonly Reply[] =>
  listOf(fields.get('pending') ?? fields.get('pel'));

function fieldsOf(answer: Answer): ReadonlyMap<string, Reply> {
  const words = listOf(answer as Reply);
  const fields = new Map<string, Reply>();
  for (let i = 0; i + 1 < words.length; i += 2) fields.set(bytesIn(words[i]).latin1Slice(), words[i + 1]!);
  return fields;
}

function listOf(reply: Reply | undefined): readonly Reply[] {
  if (!Array.isArray(reply)) throw new Error('an array was expected');
  return reply as readonly Reply[];
}

function bytesIn(reply: Reply | undefined): Buffer {
  if (!Buffer.isBuffer(reply)) throw new Error('a text was expected');
  return reply;
}

const numberIn = (reply: Reply | undefined): number => (typeof reply === 'number' ? reply : 0);

function idIn(reply: Reply | undefined): StreamId {
  if (!Buffer.isBuffer(reply)) return ZERO_ID;
  const [, ms, seq] = /^(\d{1,20})-(\d{1,20})$/.exec(reply.latin1Slice()) ?? [];
  if (ms === undefined || seq === undefined) throw new Error('a stream id was expected');
  return idOf(BigInt(ms), BigInt(seq));
}
