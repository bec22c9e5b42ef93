import { hostname } from 'node:os';
import { kill, pid } from 'node:process';
import { localDisk } from '../../bytes/disk.js';
import { contextOf, type Surroundings } from '../library.js';
import type { LockOwner } from '../verify/lock.js';
import { PLAIN_RULES, type VerifyRules } from '../verify/rules.js';
import type { VerifyTarget } from '../verify/source.js';
import { type VerifyOptions, type VerifyReport, verify as verifyTargets } from '../verify.js';

/** A backup for `verify`: all but its path may be left out. */
export type VerifySource = Partial<Omit<VerifyTarget, 'path' | 'rules'>> & {
  readonly path: string;
  readonly rules?: Partial<VerifyRules>;
};

/** Options of `verify`; all of them may be left out. */
export type VerifyRequest = Partial<Omit<VerifyOptions, 'targets'>> & Surroundings;

/** This process, as others on the machine can tell it. */
export const thisProcess: LockOwner = {
  pid,
  host: hostname(),
  isAlive(other) {
    try {
      kill(other, 0);
      return true;
    } catch (error) {
      // Of somebody else, and alive.
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  },
};

/**
 * Verifies backups by rules, as often as it is called: with a state it remembers what it found. What is wrong with a
 * backup is in the report.
 *
 * @throws OutputError when another run holds the lock, UsageError for sources of one name
 */
export function verify(
  sources: string | VerifySource | readonly (string | VerifySource)[],
  options: VerifyRequest = {},
): Promise<VerifyReport> {
  const list = Array.isArray(sources) ? sources : [sources];
  const all: VerifyOptions = {
    targets: list.map((each: string | VerifySource) =>
      targetOf(typeof each === 'string' ? { path: each } : each),
    ),
    statePath: null,
    lockPath: null,
    owner: thisProcess,
    metricsPath: null,
    timeoutMs: null,
    accept: false,
    ping: null,
    alarm: null,
    dialect: null,
    stdin: null,
    disk: localDisk,
    ...options,
  };
  return verifyTargets(all, contextOf(options));
}

const targetOf = ({ rules = {}, ...given }: VerifySource): VerifyTarget => ({
  name: given.path,
  prefer: null,
  drill: null,
  against: null,
  backups: null,
  separator: ':',
  ...given,
  rules: { ...PLAIN_RULES, ...rules },
});
