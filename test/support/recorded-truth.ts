import type { KeyTruth } from './corpus.js';
import {
  type RecordedKey,
  type RecordedProducers,
  type RecordedStream,
  type RecordedVector,
  sorted,
} from './recorder.js';

/** The same form of what a server told of a key; null when its value was not read, or cannot be. */
export function recordedTruth(truth: KeyTruth): RecordedKey | null {
  if (truth.value === undefined || (truth.value as { unknown_type?: string }).unknown_type !== undefined)
    return null;
  const { db, key, type, pexpiretime } = truth;
  return { db, key, type, pexpiretime, value: comparable(type, truth.value) };
}

/** What a server that knows producers says of a stream that never had one. */
const NO_PRODUCERS: RecordedProducers = {
  durationSeconds: 100,
  entriesMax: 100,
  producers: 0,
  messages: 0,
  added: 0,
  duplicates: 0,
};

/** Blanks in `recorded` what `truth` does not tell, so that the two can be held equal. */
export function asFarAsTold(recorded: RecordedKey, truth: RecordedKey): RecordedKey {
  if (recorded.type !== 'stream' || truth.type !== 'stream') return recorded;
  const told = truth.value as RecordedStream;
  const stream = recorded.value as RecordedStream;
  const seven = told.entriesAdded !== undefined;
  const timed = told.groups.some((group) => group.pending.some((entry) => entry[2] !== undefined));
  return {
    ...recorded,
    value: {
      ...stream,
      maxDeletedId: seven ? stream.maxDeletedId : undefined,
      entriesAdded: seven ? stream.entriesAdded : undefined,
      producers: told.producers === undefined ? undefined : (stream.producers ?? NO_PRODUCERS),
      groups: stream.groups.map((group) => ({
        ...group,
        entriesRead: seven ? group.entriesRead : undefined,
        pending: group.pending.map(([id, consumer, at, count]) => [
          id,
          consumer,
          timed ? at : undefined,
          count,
        ]),
      })),
    },
  };
}

function comparable(type: string, value: unknown): unknown {
  switch (type) {
    case 'set':
      return sorted(value as string[]);
    case 'zset':
      return sorted((value as [string, string][]).map(([member, score]) => [member, numberOf(score)]));
    case 'hash':
      return sorted(
        (value as [string, string, number?][]).map(([name, text, ttl]) => [name, text, ttl ?? null]),
      );
    case 'stream':
      return streamOf(value as StreamTruth);
    case 'array': {
      const { next, entries } = value as { next: number | string; entries: unknown };
      return { next, entries };
    }
    case 'vectorset':
      return sorted((value as VectorSetTruth).members.map(vectorOf));
    default:
      return value;
  }
}

interface VectorSetTruth {
  readonly members: readonly (readonly [
    element: string,
    numbers: readonly string[],
    raw: readonly [quantization: string, blob: string, norm: string, range?: string],
    attributes: string | null,
  ])[];
}

function vectorOf([
  element,
  ,
  [, blob, norm, range],
  attributes,
]: VectorSetTruth['members'][number]): RecordedVector {
  return [element, blob, decoded(norm), range === undefined ? undefined : decoded(range), attributes];
}

const decoded = (text: string): number => Number(Buffer.from(text, 'base64').toString());

interface StreamTruth {
  readonly entries: readonly [string, readonly string[]][];
  /** Servers from 6.0 on. */
  readonly xinfo_full?: StreamFacts & { readonly groups: readonly GroupTruth[] };
  /** Redis 5.0. */
  readonly xinfo?: StreamFacts;
  readonly groups?: readonly GroupTruth[];
}

interface StreamFacts {
  readonly 'last-generated-id': string;
  readonly 'max-deleted-entry-id'?: string;
  readonly 'entries-added'?: number;
  /** Since 8.6. */
  readonly 'idmp-duration'?: number;
  readonly 'idmp-maxsize'?: number;
  readonly 'pids-tracked'?: number;
  readonly 'iids-tracked'?: number;
  readonly 'iids-added'?: number;
  readonly 'iids-duplicates'?: number;
}

interface GroupTruth {
  readonly name: string;
  readonly 'last-delivered-id': string;
  readonly 'entries-read'?: number | null;
  readonly consumers: readonly { readonly name: string }[];
  /** From 6.0 on; 5.0 has it in `pel`, with the idle time, which is told of the loading server and no fact. */
  readonly pending: readonly [string, string, number, number][] | number;
  readonly pel?: readonly [string, string, number, number][];
}

function streamOf(truth: StreamTruth): RecordedStream {
  const facts = truth.xinfo_full ?? truth.xinfo!;
  const groups = truth.xinfo_full?.groups ?? truth.groups!;
  return {
    entries: truth.entries,
    lastId: facts['last-generated-id'],
    maxDeletedId: facts['max-deleted-entry-id'],
    entriesAdded: facts['entries-added'],
    groups: sorted(
      groups.map((group) => ({
        name: group.name,
        lastId: group['last-delivered-id'],
        entriesRead: group['entries-read'] ?? undefined,
        consumers: group.consumers.map((consumer) => consumer.name).sort(),
        pending:
          typeof group.pending === 'number'
            ? group.pel!.map(([id, consumer, , count]) => [id, consumer, undefined, count] as const)
            : group.pending,
      })),
    ),
    producers: producersOf(facts),
  };
}

function producersOf(facts: StreamFacts): RecordedProducers | undefined {
  if (facts['idmp-duration'] === undefined) return undefined;
  return {
    durationSeconds: facts['idmp-duration'],
    entriesMax: facts['idmp-maxsize']!,
    producers: facts['pids-tracked']!,
    messages: facts['iids-tracked']!,
    added: facts['iids-added']!,
    duplicates: facts['iids-duplicates']!,
  };
}

function numberOf(score: string): number {
  return score === 'inf' ? Infinity : score === '-inf' ? -Infinity : Number(score);
}
