import { basename } from 'node:path';
import type { AofFileEntry, AofSet } from '../../aof/set.js';
import { ByteSlice } from '../../bytes/slice.js';
import { UsageError } from '../../errors.js';
import type { CommandSpans } from '../../resp/command.js';
import { KeyArguments } from '../../resp/command-keys.js';
import type { CommandPattern } from '../../resp/pattern.js';
import { EVERY_KEY, type KeyConditions, KeyNameFilter } from '../filter.js';
import type { CommandPlace } from './listener.js';

/** Which commands of a log are meant. Null and empty lists say nothing; all conditions must hold. */
export interface LogConditions {
  /** Those that match any of these. */
  readonly commands: readonly CommandPattern[];
  /** Those that work on any of these databases. */
  readonly databases: readonly number[];
  /** Those of which one key passes all of these. */
  readonly keys: Pick<KeyConditions, 'match' | 'notMatch' | 'regex' | 'slots'>;
  /** Unix seconds: those from the first annotation on that is not older. */
  readonly sinceSeconds: number | null;
  /** Those from the first on that begins at or behind `bytes` of the file of that base name; null: the last file. */
  readonly fromOffset: { readonly file: string | null; readonly bytes: number } | null;
  /** Those from this number on. */
  readonly fromCommand: number | null;
}

export const EVERY_COMMAND: LogConditions = {
  commands: [],
  databases: [],
  keys: EVERY_KEY,
  sinceSeconds: null,
  fromOffset: null,
  fromCommand: null,
};

/** Tells of each command whether it is meant. Commands must be asked for in the order of the log. */
export class LogFilter {
  /** True when every command is meant. */
  readonly open: boolean;
  private readonly keyFilter: KeyNameFilter;
  private readonly arguments = new KeyArguments();
  private readonly slice = new ByteSlice();
  /** The file that `fromOffset` is in, if any; and whether it, the time and the number were reached. */
  private reachedFile = false;
  private reachedOffset: boolean;
  private reachedTime: boolean;
  private readonly fromNumber: number;
  private readonly sinceMs: number;

  constructor(
    private readonly conditions: LogConditions,
    private readonly fromFile: AofFileEntry | null,
  ) {
    this.keyFilter = new KeyNameFilter(conditions.keys);
    this.reachedOffset = fromFile === null;
    this.reachedTime = conditions.sinceSeconds === null;
    this.sinceMs = (conditions.sinceSeconds ?? 0) * 1000;
    this.fromNumber = conditions.fromCommand ?? 0;
    const { commands, databases } = conditions;
    const narrows = commands.length + databases.length > 0 || !this.keyFilter.open;
    this.open = !narrows && this.reachedOffset && this.reachedTime && this.fromNumber === 0;
  }

  fileStart(file: AofFileEntry): void {
    if (this.reachedFile) this.reachedOffset = true;
    if (file === this.fromFile) this.reachedFile = true;
  }

  passes(command: CommandSpans, place: CommandPlace): boolean {
    if (!this.isReached(place)) return false;
    const { databases, commands } = this.conditions;
    if (databases.length > 0 && !databases.includes(place.database)) return false;
    if (commands.length > 0 && !matchesAny(commands, command)) return false;
    return this.keyFilter.open || this.hasKey(command);
  }

  private isReached(place: CommandPlace): boolean {
    if (place.number < this.fromNumber) return false;
    if (!this.reachedTime) {
      if (place.timeMs < this.sinceMs) return false;
      this.reachedTime = true;
    }
    if (!this.reachedOffset) {
      if (!this.reachedFile || place.offset < this.conditions.fromOffset!.bytes) return false;
      this.reachedOffset = true;
    }
    return true;
  }

  private hasKey(command: CommandSpans): boolean {
    const { at, count } = this.arguments.find(command);
    for (let i = 0; i < count; i++) {
      const { bytes, starts, ends } = command;
      const key = this.slice.set(bytes, starts[at[i]!]!, ends[at[i]!]!);
      if (this.keyFilter.passes(key)) return true;
    }
    return false;
  }
}

function matchesAny(patterns: readonly CommandPattern[], command: CommandSpans): boolean {
  for (const pattern of patterns) if (pattern.matches(command)) return true;
  return false;
}

/** The file of an offset to begin at. @throws UsageError when the set has no such file */
export function fileOfStart(set: AofSet, { fromOffset }: LogConditions): AofFileEntry | null {
  if (fromOffset === null) return null;
  if (fromOffset.file === null) return set.files.at(-1) ?? null;
  const name = basename(fromOffset.file);
  const file = set.files.find((each) => each.name === name);
  if (file !== undefined) return file;
  const names = set.files.map((each) => each.name).join(', ');
  throw new UsageError(`no file ${name} in this log`, `the files are ${names}`);
}
