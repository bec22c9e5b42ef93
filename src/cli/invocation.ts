import { basename } from 'node:path';

/** Names other than `rekindle` under which the program may be called, each standing for a command. */
const COMMAND_OF: Readonly<Record<string, string>> = {
  'rekindle-check-aof': 'check-aof',
  'redis-check-aof': 'check-aof',
  'valkey-check-aof': 'check-aof',
  'rekindle-check-rdb': 'check-rdb',
  'redis-check-rdb': 'check-rdb',
  'valkey-check-rdb': 'check-rdb',
};

/** The command line of a process, with the command its name stands for in front. `argv` is that of the process. */
export function commandLineOf(argv: readonly string[]): string[] {
  const words = argv.slice(2);
  const name = basename(argv[1] ?? '').replace(/\.(js|cmd|exe)$/, '');
  const command = COMMAND_OF[name];
  return command === undefined ? words : [command, ...words];
}
