import type { Comparison } from '../../tools/explore/compare.js';
import type { KeyPage, KeyView } from '../../tools/explore/key-list.js';
import type { LogRow } from '../../tools/explore/rows.js';
import type { Show } from '../render/value.js';
import type { Key } from './keys.js';

/** What the screen shows: plain data, so that it can be drawn and tested without a terminal. */
export interface Scene {
  readonly title: string;
  readonly view: 'main' | 'value' | 'diff' | 'help';
  /** Which part of the main view keys go to. */
  readonly focus: 'log' | 'keys';
  /** Commands applied, and how many there are. */
  readonly position: number;
  readonly length: number;
  /** Of the moment, in milliseconds; -1: no annotation before it. */
  readonly timeMs: number;
  /** Where the log cannot be read on; '': it ends well. */
  readonly damage: string;
  readonly keysInAll: number;
  readonly databases: readonly { readonly index: number; readonly keys: number }[];
  readonly rows: readonly LogRow[];
  readonly database: number;
  /** Glob that keys must match; '*': all. */
  readonly match: string;
  readonly page: KeyPage | null;
  /** Index in the page. */
  readonly selected: number;
  /** The key whose value is looked at, one character per byte; null: none. */
  readonly opened: { readonly database: number; readonly key: Buffer } | null;
  /** Null: it is not there at this moment. */
  readonly value: KeyView | null;
  /** First line of the value, and first column of its lines. */
  readonly scroll: number;
  readonly shift: number;
  readonly markA: number | null;
  readonly markB: number | null;
  readonly comparison: Comparison | null;
  readonly diffSelected: number;
  readonly prompt: { readonly label: string; readonly text: string } | null;
  readonly message: string;
  /** What is being done, and how far; null: nothing. */
  readonly busy: { readonly label: string; readonly share: number } | null;
  readonly show: Show;
}

/** Lines of the parts of a screen of that height. */
export function partsOf(rows: number): {
  readonly log: number;
  readonly keys: number;
  readonly body: number;
} {
  const free = rows - 5;
  const log = Math.floor(free / 2);
  return { log, keys: free - log, body: rows - 4 };
}

/** A place in a list after a key. */
export function moved(at: number, key: Key, page: number, last: number): number {
  const goals: Readonly<Record<string, number>> = {
    up: at - 1,
    k: at - 1,
    down: at + 1,
    j: at + 1,
    pageup: at - page,
    pagedown: at + page,
    home: 0,
    end: last,
  };
  return Math.max(0, Math.min(goals[key] ?? at, last));
}
