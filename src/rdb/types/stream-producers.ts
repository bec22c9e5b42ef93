import { FormatError } from '../../errors.js';
import { idOf } from '../../model/stream-id.js';
import type { ItemOutput, ValueWalk } from '../codec.js';
import { type Cursor, SHORT } from '../cursor.js';

const SETTINGS = 0;
const PRODUCER = 1;
const MESSAGE = 2;
const TOTALS = 3;
const DONE = 4;

/** The servers' own bounds. */
const DURATION_MAX_SECONDS = 86400;
const ENTRIES_MAX = 10000;

/** Reads what a stream remembers of messages sent twice: since Redis 8.6, behind its groups. */
export class ProducersWalk {
  private part = SETTINGS;
  private producersLeft = 0;
  private messagesLeft = 0;

  begin(): void {
    this.part = SETTINGS;
  }

  get done(): boolean {
    return this.part === DONE;
  }

  /** Reads one item; returns the position after it, or SHORT. */
  read(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    const at = this.readPart(walk, cursor, out);
    if (at === SHORT) return SHORT;
    if (this.part === MESSAGE && this.messagesLeft === 0) this.part = PRODUCER;
    if (this.part === PRODUCER && this.producersLeft === 0) this.part = TOTALS;
    return at;
  }

  private readPart(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    if (this.part === SETTINGS) return this.readSettings(cursor, out);
    if (this.part === PRODUCER) return this.readProducer(walk, cursor, out);
    return this.part === MESSAGE ? this.readMessage(walk, cursor, out) : this.readTotals(cursor, out);
  }

  private readSettings(cursor: Cursor, out: ItemOutput): number {
    let at = cursor.length(cursor.position);
    if (at === SHORT) return SHORT;
    const durationSeconds = cursor.value;
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    const entriesMax = cursor.value;
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    if (durationSeconds < 1 || durationSeconds > DURATION_MAX_SECONDS)
      throw bad(cursor, 'duration-out-of-range');
    if (entriesMax < 1 || entriesMax > ENTRIES_MAX) throw bad(cursor, 'producer-entries-out-of-range');
    this.producersLeft = cursor.value;
    this.part = PRODUCER;
    out.streamIdempotence({ durationSeconds, entriesMax });
    return at;
  }

  private readProducer(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    const countAt = walk.text.read(cursor, cursor.position);
    if (countAt === SHORT) return SHORT;
    const at = cursor.length(countAt);
    if (at === SHORT) return SHORT;
    this.messagesLeft = cursor.value;
    this.producersLeft--;
    this.part = MESSAGE;
    out.streamProducer(walk.text.slice);
    return at;
  }

  private readMessage(walk: ValueWalk, cursor: Cursor, out: ItemOutput): number {
    let at = walk.text.read(cursor, cursor.position);
    if (at === SHORT) return SHORT;
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    const ms = cursor.long();
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    this.messagesLeft--;
    out.streamProduced(walk.text.slice, idOf(ms, cursor.long()));
    return at;
  }

  private readTotals(cursor: Cursor, out: ItemOutput): number {
    let at = cursor.length(cursor.position);
    if (at === SHORT) return SHORT;
    const added = cursor.long();
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
    this.part = DONE;
    out.streamProducedTotals(added, cursor.long());
    return at;
  }
}

function bad(cursor: Cursor, reason: string): FormatError {
  return new FormatError('rdb/bad-stream', cursor.offsetOf(cursor.position), { reason });
}
