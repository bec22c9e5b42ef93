import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { InputError } from '../errors.js';
import { nearest } from '../model/nearest.js';
import { CATALOG } from './catalog.js';
import { shellWord } from './render/escape.js';

/** What other tools call what a command here does. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  backup: 'verify',
  bigkeys: 'memory',
  browse: 'explore',
  compare: 'diff',
  diagnose: 'doctor',
  dump: 'convert',
  explain: 'doctor',
  export: 'convert',
  fix: 'repair',
  fsck: 'check',
  html: 'report',
  import: 'convert',
  inspect: 'info',
  mend: 'repair',
  merge: 'convert',
  migrate: 'convert',
  monitor: 'log',
  restore: 'recover',
  rewrite: 'compact',
  rollback: 'replay',
  salvage: 'repair',
  size: 'memory',
  split: 'convert',
  stat: 'info',
  stats: 'info',
  tail: 'log',
  test: 'check',
  undo: 'replay',
  validate: 'check',
};

/** What to try instead of a command that does not exist. */
export function commandHint(word: string): string {
  const names = CATALOG.map(({ name }) => name);
  const other = OTHER_NAMES[word.toLowerCase()];
  const meant = nearest(word, names) ?? (other !== undefined && names.includes(other) ? other : null);
  if (meant !== null) return `rekindle ${meant}`;
  if (existsSync(word))
    return `rekindle info ${shellWord(word)}, or another command before it: rekindle help`;
  return 'rekindle help';
}

const NAMES_MAX = 10_000;

/** What is wrong with a source; `redact`: without what stands in it. */
export function inputMessage(error: InputError, redact: boolean): string {
  return redact ? error.message : `${error.message}${error.quoted}`;
}

/** The hint of an error about a source; where it is missing, what stands beside where it should be. */
export function inputHint(error: InputError): string {
  if (error.code !== 'input/missing' || error.path.includes('://')) return error.hint;
  const near = nearPath(error.path);
  return near === null ? error.hint : `did you mean ${shellWord(near)}?`;
}

/** The path with the first of its parts that is missing replaced by the nearest name that is there. */
function nearPath(path: string): string | null {
  let missing = path.replace(/\/+$/, '');
  while (!existsSync(dirname(missing))) {
    const above = dirname(missing);
    if (above === missing) return null;
    missing = above;
  }
  const directory = dirname(missing);
  let names: string[];
  try {
    names = readdirSync(directory).slice(0, NAMES_MAX);
  } catch {
    return null;
  }
  const name = nearest(basename(missing), names);
  if (name === null) return null;
  return directory === '.' && !missing.startsWith('./') ? name : join(directory, name);
}
