import { Glob } from '../../model/glob.js';
import type { KeyHead } from '../../model/handler.js';
import { ProducerAux } from '../family.js';
import { isExpired } from '../filter.js';
import type { DatasetWatch } from '../report.js';
import { PrefixCounter } from './prefixes.js';
import { KeySample } from './sample.js';

/** Keys that must be there. */
export interface RequiredKeys {
  /** As KEYS takes it, one character per byte. */
  readonly pattern: string;
  readonly least: number;
}

export interface ProfileOptions {
  /** The clock that TTLs are held against, in milliseconds since the epoch. */
  readonly nowMs: number;
  readonly required: readonly RequiredKeys[];
  /** The byte behind a prefix. */
  readonly separator: number;
  /** TTLs that end later than this, in milliseconds since the epoch, are counted; null: none is too far. */
  readonly latestMs: number | null;
  /** Keys to remember by name, at random, of those that are not past their TTL; 0: none. */
  readonly sample: number;
}

/** What the rules want to know of the keys of a dataset, counted as they go by. */
export class Profile implements DatasetWatch {
  keys = 0;
  withExpiry = 0;
  /** Past their TTL. */
  expired = 0;
  /** With a TTL that ends later than told. */
  beyond = 0;
  /** Unix seconds of the last annotation of a log; null without any. */
  lastSeconds: number | null = null;
  readonly producer = new ProducerAux();
  readonly prefixes: PrefixCounter;
  /** As many keys as matched each requirement. */
  readonly found: number[];
  readonly sample: KeySample | null;
  private readonly globs: readonly Glob[];

  constructor(private readonly options: ProfileOptions) {
    this.prefixes = new PrefixCounter(options.separator);
    this.sample = options.sample > 0 ? new KeySample(options.sample) : null;
    this.globs = options.required.map(({ pattern }) => new Glob(pattern));
    this.found = options.required.map(() => 0);
  }

  aux(name: string, value: string): void {
    this.producer.take(name, value);
  }

  time(seconds: number): void {
    this.lastSeconds = seconds;
  }

  key(head: KeyHead): void {
    const { options, globs, found } = this;
    const { bytes, start, end } = head.key;
    this.keys++;
    if (this.sample !== null && !isExpired(head, options.nowMs)) this.sample.offer(head);
    if (head.hasExpiry) {
      this.withExpiry++;
      if (isExpired(head, options.nowMs)) this.expired++;
      else if (options.latestMs !== null && head.expiresAtMs > options.latestMs) this.beyond++;
    }
    this.prefixes.add(bytes, start, end);
    for (let i = 0; i < globs.length; i++) if (globs[i]!.matches(bytes, start, end)) found[i]!++;
  }

  /** The same counts begun anew. */
  fresh(): Profile {
    return new Profile(this.options);
  }
}
