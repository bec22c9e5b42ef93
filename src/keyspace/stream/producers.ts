import { addLong, type Long } from '../../bytes/int64.js';
import { sliceOf } from '../../bytes/slice.js';
import { DEFAULT_IDEMPOTENCE, type ItemHandler, type StreamIdempotence } from '../../model/handler.js';
import type { StreamId } from '../../model/stream-id.js';

/** The bounds of a server for what it remembers of messages, both included. */
export const DURATION_MAX_SECONDS = 86400;
export const ENTRIES_MAX = 10000;

/**
 * What a stream remembers of messages that producers sent, so that one sent twice is added once. Names and message ids
 * are texts of one character per byte. Nothing is forgotten for its age, as nothing is while a log is loaded.
 */
export class StreamProducers implements StreamIdempotence {
  durationSeconds = DEFAULT_IDEMPOTENCE.durationSeconds;
  entriesMax = DEFAULT_IDEMPOTENCE.entriesMax;
  /** Messages with an id ever added, and duplicates ever refused. */
  added: Long = 0;
  duplicates: Long = 0;
  /** By producer, the entries that its messages became, the oldest message first. */
  private readonly producers = new Map<string, Map<string, StreamId>>();

  /** The messages of a producer, which is remembered from now on, even without any. */
  of(producer: string): Map<string, StreamId> {
    let messages = this.producers.get(producer);
    if (messages === undefined) this.producers.set(producer, (messages = new Map()));
    return messages;
  }

  /** Remembers a message that is not known yet; the oldest of its producer goes where there are too many. */
  remember(producer: string, message: string, id: StreamId): void {
    const messages = this.of(producer);
    messages.set(message, id);
    this.added = addLong(this.added, 1);
    if (messages.size <= this.entriesMax) return;
    for (const oldest of messages.keys()) {
      messages.delete(oldest);
      return;
    }
  }

  /** Takes settings, 0: as before. Where one differs from what it was, all messages are forgotten. */
  configure(durationSeconds: number, entriesMax: number): void {
    const before = [this.durationSeconds, this.entriesMax];
    if (durationSeconds > 0) this.durationSeconds = durationSeconds;
    if (entriesMax > 0) this.entriesMax = entriesMax;
    if (this.durationSeconds !== before[0] || this.entriesMax !== before[1]) this.producers.clear();
  }

  clone(): StreamProducers {
    const copy = new StreamProducers();
    const { durationSeconds, entriesMax, added, duplicates } = this;
    Object.assign(copy, { durationSeconds, entriesMax, added, duplicates });
    for (const [name, messages] of this.producers) copy.producers.set(name, new Map(messages));
    return copy;
  }

  /** Tells settings, producers by name and totals, in the order of `ItemHandler`. */
  tell(out: ItemHandler): void {
    const { durationSeconds, entriesMax } = this;
    out.streamIdempotence({ durationSeconds, entriesMax });
    for (const name of [...this.producers.keys()].sort()) {
      out.streamProducer(sliceOf(name));
      for (const [message, id] of this.producers.get(name)!) out.streamProduced(sliceOf(message), id);
    }
    out.streamProducedTotals(this.added, this.duplicates);
  }
}
