import type { Command } from 'commander';
import type { OpenOptions } from '../tools/source.js';
import type { Session } from './session.js';
import { parseWord } from './values.js';

/** Options of every command that reads a source. */
export interface SourceFlags {
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
  };
}
