import type { Command } from 'commander';
import type { Session } from './session.js';

/** Runs the body of a command in a session and keeps the exit code it resolves to. */
export type Launch = (body: (session: Session) => Promise<number>) => Promise<void>;

/** A command: its arguments and options, and what they start. */
export interface CommandDefinition {
  define(command: Command, launch: Launch): void;
}

export interface CatalogEntry {
  readonly name: string;
  readonly summary: string;
  /** Loads the command and everything it needs; called only when the command line names it. */
  load(): Promise<CommandDefinition>;
}

/** Every command, in the order of the help. */
export const CATALOG: readonly CatalogEntry[] = [
  {
    name: 'check',
    summary: 'verify structure, checksums, every value, manifests and transactions',
    load: async () => (await import('./commands/check.js')).check,
  },
  {
    name: 'check-aof',
    summary: 'check a log, or cut its damaged end, as redis-check-aof does',
    load: async () => (await import('./commands/check-aof.js')).checkAof,
  },
  {
    name: 'check-rdb',
    summary: 'check an RDB as redis-check-rdb does',
    load: async () => (await import('./commands/check-rdb.js')).checkRdb,
  },
  {
    name: 'repair',
    summary: 'say what each way out of damage costs, and take it',
    load: async () => (await import('./commands/repair.js')).repair,
  },
  {
    name: 'info',
    summary: 'say what a file or directory is and what it holds',
    load: async () => (await import('./commands/info.js')).info,
  },
  {
    name: 'memory',
    summary: 'say what fills the memory: by type, prefix and key, in the file and in a server',
    load: async () => (await import('./commands/memory.js')).memory,
  },
  {
    name: 'report',
    summary: 'write one page of it all: findings, prefixes, keys, times to live, the log over time',
    load: async () => (await import('./commands/report.js')).report,
  },
  {
    name: 'convert',
    summary: 'write a dataset in another form, for another server, filtered, split or merged',
    load: async () => (await import('./commands/convert.js')).convert,
  },
  {
    name: 'diff',
    summary: 'tell how two datasets differ, whatever their formats',
    load: async () => (await import('./commands/diff.js')).diff,
  },
  {
    name: 'digest',
    summary: 'print what DEBUG DIGEST prints for the same dataset',
    load: async () => (await import('./commands/digest.js')).digest,
  },
  {
    name: 'replay',
    summary: 'rebuild the dataset at a point in time and write it out',
    load: async () => (await import('./commands/replay.js')).replay,
  },
  {
    name: 'history',
    summary: 'list every command that changed a key, with what it was before and after',
    load: async () => (await import('./commands/history.js')).history,
  },
  {
    name: 'log',
    summary: 'list the commands of a log with where and when they were written',
    load: async () => (await import('./commands/log.js')).log,
  },
  {
    name: 'explore',
    summary: 'move along a log in the terminal and look at the dataset at any moment',
    load: async () => (await import('./commands/explore.js')).explore,
  },
  {
    name: 'compact',
    summary: 'rewrite a log offline: a base and an empty increment, no fork',
    load: async () => (await import('./commands/compact.js')).compact,
  },
  {
    name: 'verify',
    summary: 'verify backups by rules, for cron: speaks up when it must',
    load: async () => (await import('./commands/verify.js')).verify,
  },
  {
    name: 'recover',
    summary: 'weigh everything in a crashed directory and bring back the most of it',
    load: async () => (await import('./commands/recover.js')).recover,
  },
  {
    name: 'doctor',
    summary: 'say what a line that a server logged means, and what helps',
    load: async () => (await import('./commands/doctor.js')).doctor,
  },
  {
    name: 'completion',
    summary: 'print a script that completes commands and options in a shell',
    load: async () => (await import('./commands/completion.js')).completion,
  },
];
