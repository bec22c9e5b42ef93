import type { Long } from '../../src/bytes/int64.js';
import { Engine, type EngineOptions } from '../../src/keyspace/engine.js';
import { STREAM_OBJECT } from '../../src/keyspace/forms.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { ListCursor } from '../../src/keyspace/lists.js';
import type { Outcome } from '../../src/keyspace/outcome.js';
import type { StreamValue } from '../../src/keyspace/stream/stream.js';
import { CommandSpans } from '../../src/resp/command.js';

export const NOW_MS = 1_772_366_400_000;

/** An engine that is given commands by their words, and says what it holds. */
export class EngineDriver {
  readonly engine: Engine;

  constructor(options: Partial<EngineOptions> = {}) {
    this.engine = new Engine(new Keyspace(), { nowMs: NOW_MS, scoreText: '17g', ...options });
  }

  /** Executes one command; a text is split at its blanks. */
  run(...words: readonly (string | Uint8Array)[]): Outcome {
    const [first] = words;
    const parts = words.length === 1 && typeof first === 'string' ? first.split(' ') : words;
    return this.engine.execute(CommandSpans.of(...parts));
  }

  private entryOf(key: string): number {
    return this.engine.find(CommandSpans.of(key), 0);
  }

  hasExpiry(key: string): boolean {
    return this.engine.db.hasExpiry(this.entryOf(key));
  }

  /** Milliseconds since the epoch, of a key that has an expiry. */
  expiry(key: string): Long {
    return this.engine.db.expiryAt(this.entryOf(key));
  }

  /** The bytes of a string; null when there is no such key. */
  string(key: string): Buffer | null {
    const entry = this.entryOf(key);
    return entry < 0 ? null : this.engine.db.getString(entry, this.engine.slice).copy();
  }

  /** The elements of a list; null when there is no such key. */
  list(key: string): string[] | null {
    const entry = this.entryOf(key);
    if (entry < 0) return null;
    const cursor = new ListCursor().open(this.engine.db, entry);
    const elements: string[] = [];
    while (cursor.next()) elements.push(cursor.element.latin1());
    return elements;
  }

  /** @throws Error when the key holds no stream */
  stream(key: string): StreamValue {
    const entry = this.entryOf(key);
    if (entry < 0 || this.engine.db.formAt(entry) !== STREAM_OBJECT) throw new Error(`${key} is no stream`);
    return this.engine.db.objectAt(entry) as StreamValue;
  }
}
