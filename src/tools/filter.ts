import { isUtf8 } from 'node:buffer';
import type { ByteSlice } from '../bytes/slice.js';
import { slotOf } from '../kernels/crc16.js';
import { Glob } from '../model/glob.js';
import type { KeyHead } from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';

/** Which keys are meant. An empty list says nothing; all conditions must hold. */
export interface KeyConditions {
  /** Any of these databases. */
  readonly databases: readonly number[];
  /** Any of these types. */
  readonly kinds: readonly ValueKind[];
  /** Patterns as KEYS takes them, one character per byte: every one must match. */
  readonly match: readonly string[];
  /** None of these must match. */
  readonly notMatch: readonly string[];
  /** Every one must match somewhere in the key, read as UTF-8 where it is that, else byte by byte. */
  readonly regex: readonly RegExp[];
  /** Any of these ranges of cluster slots, ends included. */
  readonly slots: readonly (readonly [first: number, last: number])[];
  readonly expired: 'keep' | 'drop' | 'only';
  /** Bytes of the value's texts, names and numbers from which on a key is meant; 0: all. */
  readonly minSizeBytes: number;
  /**
   * Only these keys, by database, one character per byte; null for all of a database. Missing: no key is named.
   */
  readonly names?: ReadonlyMap<number, ReadonlySet<string> | null>;
}

export const EVERY_KEY: KeyConditions = {
  databases: [],
  kinds: [],
  match: [],
  notMatch: [],
  regex: [],
  slots: [],
  expired: 'keep',
  minSizeBytes: 0,
};

/** Tells of each key whether it is meant, by everything but the size of its value. */
export class KeyFilter {
  /** True when every key passes. */
  readonly open: boolean;
  private readonly names: KeyNameFilter;

  constructor(
    private readonly conditions: KeyConditions,
    private readonly nowMs: number,
  ) {
    this.names = new KeyNameFilter(conditions);
    const { databases, kinds, expired, names } = conditions;
    const byHead = expired !== 'keep' || databases.length > 0 || kinds.length > 0 || names !== undefined;
    this.open = !byHead && this.names.open;
  }

  passes(head: KeyHead): boolean {
    return this.open || (this.passesByHead(head) && this.names.passes(head.key));
  }

  private passesByHead(head: KeyHead): boolean {
    const { databases, kinds, expired, names } = this.conditions;
    if (names !== undefined && !isNamed(names, head)) return false;
    if (databases.length > 0 && !databases.includes(head.database)) return false;
    if (kinds.length > 0 && !kinds.includes(head.kind)) return false;
    return expired === 'keep' || isExpired(head, this.nowMs) === (expired === 'only');
  }
}

/** The same by the name of the key alone. */
export class KeyNameFilter {
  /** True when every name passes. */
  readonly open: boolean;
  private readonly match: readonly Glob[];
  private readonly notMatch: readonly Glob[];

  constructor(private readonly conditions: Pick<KeyConditions, 'match' | 'notMatch' | 'regex' | 'slots'>) {
    const { match, notMatch, regex, slots } = conditions;
    this.match = match.map((pattern) => new Glob(pattern));
    this.notMatch = notMatch.map((pattern) => new Glob(pattern));
    this.open = [match, notMatch, regex, slots].every((list) => list.length === 0);
  }

  passes(key: ByteSlice): boolean {
    const { regex, slots } = this.conditions;
    const { bytes, start, end } = key;
    if (!this.match.every((glob) => glob.matches(bytes, start, end))) return false;
    if (this.notMatch.some((glob) => glob.matches(bytes, start, end))) return false;
    if (slots.length > 0) {
      const slot = slotOf(bytes, start, end);
      if (!slots.some(([first, last]) => slot >= first && slot <= last)) return false;
    }
    if (regex.length === 0) return true;
    const view = key.view();
    const text = isUtf8(view) ? view.toString('utf8') : view.toString('latin1');
    return regex.every((expression) => expression.test(text));
  }
}

function isNamed(names: NonNullable<KeyConditions['names']>, head: KeyHead): boolean {
  const wanted = names.get(head.database);
  return wanted === null || wanted?.has(head.key.latin1()) === true;
}

/** True when the key's time has passed: the servers' rule, by which a key at its very millisecond still lives. */
export function isExpired(head: KeyHead, nowMs: number): boolean {
  return head.hasExpiry && head.expiresAtMs < nowMs;
}
