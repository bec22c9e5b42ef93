import { basename } from 'node:path';
import { UsageError } from '../errors.js';
import type { CommandPattern } from '../resp/pattern.js';
import type { AofFileEntry, AofSet } from './set.js';

/** Where to stop in a log; every limit that is null or empty is none. The earliest wins. */
export interface Cut {
  /** The last command applied ends at or before `bytes` in the file of that base name; null: the last file. */
  readonly offset: { readonly file: string | null; readonly bytes: number } | null;
  /** Unix seconds: nothing from the first annotation later than this on. */
  readonly seconds: number | null;
  /** So many commands, counted over all files as they stand there, MULTI, EXEC and SELECT too. */
  readonly commands: number | null;
  /** Nothing from the first command on that matches one of these. */
  readonly before: readonly CommandPattern[];
}

export const NO_CUT: Cut = { offset: null, seconds: null, commands: null, before: [] };

/** Why reading stopped. `end`: nothing was left; `torn-tail`: the last record or transaction is not complete. */
export type StopReason = 'end' | 'offset' | 'time' | 'command' | 'pattern' | 'torn-tail';

/**
 * The file an offset cut is in.
 *
 * @throws UsageError when the set has no such file
 */
export function fileOfCut(set: AofSet, cut: Cut): AofFileEntry | null {
  const { offset } = cut;
  if (offset === null) return null;
  if (offset.file === null) return set.files.at(-1) ?? null;
  const name = basename(offset.file);
  const file = set.files.find((each) => each.name === name);
  if (file !== undefined) return file;
  const names = set.files.map((each) => each.name).join(', ');
  const isHistory = set.history.some((each) => each.name === name);
  throw new UsageError(
    isHistory ? `${name} is history: it is not part of what is loaded` : `no file ${name} in this log`,
    `the files are ${names}`,
  );
}
