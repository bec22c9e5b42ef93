import { createHmac, randomBytes } from 'node:crypto';
import { totalmem } from 'node:os';
import type { Io } from './io.js';
import { parseInstant, parseSize, parseWord } from './values.js';

/** The options every command knows, as commander hands them over. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
  readonly now?: string;
  readonly dialect?: string;
  readonly force?: boolean;
  readonly redact?: boolean;
  readonly memory?: string;
  readonly strict?: boolean;
}

/** The same, decided. */
export interface Settings {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly colorOut: boolean;
  readonly colorErr: boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly dialect: DialectName | null;
  readonly force: boolean;
  /** Shows bytes that came from a dataset (one character per byte) or hides them behind a keyed hash. */
  readonly conceal: ((latin1: string) => string) | null;
  readonly memoryBytes: number;
  readonly strict: boolean;
}

export const DIALECTS = ['redis', 'valkey', 'keydb', 'dragonfly', 'redis-enterprise'] as const;
export type DialectName = (typeof DIALECTS)[number];

/** @throws UsageError for a value that is none */
export function settingsOf(flags: GlobalFlags, io: Io): Settings {
  const mayColor = flags.color !== false && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb';
  return {
    json: flags.json === true,
    quiet: flags.quiet === true,
    verbose: flags.verbose === true,
    colorOut: mayColor && io.stdout.isTTY === true,
    colorErr: mayColor && io.stderr.isTTY === true,
    nowMs: flags.now === undefined ? io.now() : parseInstant(flags.now, '--now'),
    dialect: flags.dialect === undefined ? null : parseWord(flags.dialect, '--dialect', DIALECTS),
    force: flags.force === true,
    conceal: flags.redact === true ? concealer(io.env['REKINDLE_REDACT_KEY'] ?? '') : null,
    memoryBytes: flags.memory === undefined ? totalmem() / 2 : parseSize(flags.memory, '--memory'),
    strict: flags.strict === true,
  };
}

/** Without a key of the user's own, one for this run: equal keys look equal within a run and tell nothing across runs. */
function concealer(userKey: string): (latin1: string) => string {
  const key = userKey === '' ? randomBytes(32) : userKey;
  return (latin1) =>
    `redacted:${createHmac('sha256', key).update(Buffer.from(latin1, 'latin1')).digest('hex').slice(0, 16)}`;
}
