import { dirname, normalize } from 'node:path';
import { isServerAddress } from '../live/address.js';
import { shellPath } from './render/escape.js';

/**
 * A source as it is given to a command that is to be copied into a shell: as the user named it, quoted where that is needed,
 * with the choice that was made of its datasets. '' for a live server: what stands in files alone can be done to it.
 */
export function sourceWord(path: string, prefer?: string): string {
  if (isServerAddress(path)) return '';
  const word = path === '-' ? path : shellPath(path);
  return prefer === undefined ? word : `${word} --prefer ${prefer}`;
}

interface Named {
  /** As paths are compared. */
  readonly path: string;
  readonly word: string;
}

/** What the user called the sources of one run. */
export class SourceNames {
  private readonly all: Named[] = [];

  /** `prefer`: which of its datasets is meant. */
  add(path: string, prefer?: string): void {
    this.all.push({ path: plain(path), word: sourceWord(path, prefer) });
  }

  /** What `sourceWord` says of the source that a file is of; '' where that cannot be told. */
  of(file: string): string {
    if (this.all.length === 1) return this.all[0]!.word;
    const path = plain(file);
    const around = this.all.filter((each) => isAt(path, each.path));
    const nearest = around.sort((a, b) => b.path.length - a.path.length)[0];
    return nearest?.word ?? this.all.find((each) => isListedBy(path, each.path))?.word ?? '';
  }
}

const plain = (path: string): string => normalize(path).replace(/(?<=.)\/$/, '');

/** Whether a file is that source, or stands in it; members of archives are called `ARCHIVE:/NAME`. */
function isAt(file: string, source: string): boolean {
  const rest = file.startsWith(source) ? file.slice(source.length) : null;
  return source === '.' ? !file.startsWith('/') : rest !== null && /^(?:$|:?\/)/.test(rest);
}

/** The files of a manifest stand beside it. */
const isListedBy = (file: string, source: string): boolean =>
  source.endsWith('.manifest') && dirname(file) === dirname(source);
