import type { Command } from 'commander';
import type { DatasetSource, OpenOptions } from '../tools/source.js';
import { type LiveFlags, liveAccessOf } from './live-flags.js';
import { printable } from './render/escape.js';
import type { Session } from './session.js';
import { parseWord } from './values.js';

/** Options of every command that reads a source. */
export interface SourceFlags extends LiveFlags {
  readonly prefer?: string;
}

export function preferOption(command: Command): Command {
  return command.option(
    '--prefer <form>',
    'the dataset of a directory that holds both: rdb or aof (default: aof)',
  );
}

export function sourceOptionsOf(flags: SourceFlags, session: Session): OpenOptions {
  const { prefer } = flags;
  return {
    prefer: prefer === undefined ? null : parseWord(prefer, '--prefer', ['rdb', 'aof']),
    stdin: session.io.stdin,
    signal: session.io.signal,
    live: liveAccessOf(flags, session),
  };
}

/** Says of a source that was opened what its name does not: what was chosen, left out or taken off. */
export function tellSource(source: DatasetSource, session: Session): void {
  const { path, choice, leftOut = [], packings = [] } = source;
  if (choice !== '') session.note(printable(choice));
  for (const each of leftOut.slice(0, LEFT_OUT_LISTED)) session.note(printable(`${path}: not read: ${each}`));
  if (leftOut.length > LEFT_OUT_LISTED) {
    session.note(printable(`${path}: ${leftOut.length - LEFT_OUT_LISTED} more members are not read`));
  }
  if (packings.includes('vcs')) {
    const why = 'read by its published design: no server that writes it could be asked';
    session.note(printable(`${path}: a Valkey compressed stream, ${why}`));
  }
  if (packings.length > 0) {
    session.detail(printable(`${path}: ${packings.join(' in ')}; offsets and sizes are of the bytes inside`));
  }
}

const LEFT_OUT_LISTED = 5;
