import type { Long } from '../../bytes/int64.js';
import { DEFAULT_IDEMPOTENCE } from '../../model/handler.js';
import { compareIds, formatId, type StreamId } from '../../model/stream-id.js';
import type {
  RedisValue,
  StreamConsumer,
  StreamEntry,
  StreamGroup,
  StreamProducer,
  StreamProducers,
} from '../../model/value.js';
import { type Changes, compareMaps, latin1, named } from './changes.js';

type Stream = Extract<RedisValue, { kind: 'stream' }>;

/**
 * What changed inside a stream: entries, groups, producers and settings, and its counters behind them, which on their own
 * make no difference.
 */
export function compareStreams(before: Stream, after: Stream, found: Changes): void {
  const id = (entry: StreamEntry): string => formatId(entry.id);
  const entries = ({ entries: items }: Stream) => named(items, id, entryText, exactEntry);
  compareMaps(entries(before), entries(after), 'entry', found);
  found.compare('last-id', '', formatId(before.meta.lastId), formatId(after.meta.lastId));
  const groups = ({ groups: items }: Stream) => named(items, nameOf, groupText, exactGroup);
  compareMaps(groups(before), groups(after), 'group', found);
  compareProducers(before.producers ?? NO_PRODUCERS, after.producers ?? NO_PRODUCERS, found);
  compareCounters(before, after, found);
}

const nameOf = ({ name }: { readonly name: Buffer }): string => latin1(name);
const idsText = (ids: readonly StreamId[]): string => ids.map((each) => formatId(each)).join(',');

const entryText = ({ fields }: StreamEntry): string =>
  fields.map(([name, value]) => `${latin1(name)}=${latin1(value)}`).join(' ');

const exactEntry = (entry: StreamEntry): string =>
  `${entry.fields.map(([name, value]) => `${name.length},${value.length}`).join(' ')}:${entryText(entry)}`;

/** In an order that does not depend on the order in which they stand. */
const ordered = ({ consumers }: StreamGroup): StreamConsumer[] =>
  [...consumers].sort((a, b) => Buffer.compare(a.name, b.name));

function groupText(group: StreamGroup): string {
  const { lastId, pending, released } = group;
  const sent = [...pending]
    .sort((a, b) => compareIds(a.id, b.id))
    .map((each) => `${formatId(each.id)} ${each.deliveredAtMs} ${each.deliveryCount}`);
  const holding = ordered(group).map(
    ({ name, pending: held }) => `${latin1(name)}:${idsText([...held].sort(compareIds))}`,
  );
  const loose = released.length === 0 ? '' : `; released ${idsText(released)}`;
  return `last ${formatId(lastId)}; pending ${sent.join(', ')}; consumers ${holding.join(' ')}${loose}`;
}

const exactGroup = (group: StreamGroup): string =>
  `${ordered(group).map(({ name }) => name.length)}:${groupText(group)}`;

const NO_PRODUCERS: Omit<StreamProducers, 'added' | 'duplicates'> = { ...DEFAULT_IDEMPOTENCE, producers: [] };

function compareProducers(before: typeof NO_PRODUCERS, after: typeof NO_PRODUCERS, found: Changes): void {
  const settings = ({ durationSeconds, entriesMax }: typeof NO_PRODUCERS): string =>
    `${durationSeconds} s, ${entriesMax} entries`;
  found.compare('idempotence', '', settings(before), settings(after));
  const text = ({ messages }: StreamProducer): string =>
    messages.map(({ messageId, id }) => `${latin1(messageId)}=${formatId(id)}`).join(' ');
  const exact = (producer: StreamProducer): string =>
    `${producer.messages.map(({ messageId }) => messageId.length)}:${text(producer)}`;
  const producers = ({ producers: items }: typeof NO_PRODUCERS) => named(items, nameOf, text, exact);
  compareMaps(producers(before), producers(after), 'producer', found);
}

/** Those that both sides keep. */
function compareCounters(before: Stream, after: Stream, found: Changes): void {
  const [a, b] = [before.meta, after.meta];
  found.compare('max-deleted-id', '', formatId(a.maxDeletedId), formatId(b.maxDeletedId));
  found.compare('entries-added', '', String(a.entriesAdded), String(b.entriesAdded));
  const read = new Map<string, Long | null>(after.groups.map((each) => [nameOf(each), each.entriesRead]));
  for (const group of before.groups) {
    const now = read.get(nameOf(group)) ?? null;
    if (now === null || group.entriesRead === null) continue;
    found.compare('entries-read', nameOf(group), String(group.entriesRead), String(now));
  }
  const [left, right] = [before.producers, after.producers];
  if (left === null || right === null) return;
  found.compare('messages-added', '', String(left.added), String(right.added));
  found.compare('messages-refused', '', String(left.duplicates), String(right.duplicates));
}
