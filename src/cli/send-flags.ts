import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import type { SendRequest } from '../tools/replay/send.js';
import { targetNamed } from '../tools/target-choice.js';
import { addressOf, type LiveFlags, tlsFilesOf } from './live-flags.js';
import type { Session } from './session.js';
import { parseRate } from './values.js';

/** Options of every command that puts keys into a live server. */
export interface SendFlags extends LiveFlags {
  readonly for?: string;
  readonly replace?: boolean;
  readonly keepExisting?: boolean;
  readonly resume?: string;
  readonly rateLimit?: string;
  readonly asCommands?: boolean;
}

/** Those of them that mean nothing where no server is written to. */
export const SEND_ONLY = ['replace', 'keepExisting', 'resume', 'rateLimit', 'asCommands'] as const;

export function sendOptions(command: Command): Command {
  return command
    .option('--keep-existing', 'keys that it has stay as they are (default: then nothing is written)')
    .option('--replace', 'keys that it has are overwritten')
    .option(
      '--resume <where>',
      'keep progress in this file, or in key:NAME of the target, and go on from there',
    )
    .option('--rate-limit <rate>', 'at most so much a second: 20MB or 5000keys')
    .option(
      '--as-commands',
      'write commands, not payloads: for servers without RESTORE, or without right to it',
    );
}

/**
 * What is asked of a server; `option` named its address. `existing`: what becomes of keys that it has, when nothing is said.
 *
 * @throws UsageError for values that are none, and for options that cannot both be meant
 */
export async function sendRequestOf(
  url: string,
  option: string,
  flags: SendFlags,
  session: Session,
  existing: 'refuse' | 'keep',
): Promise<SendRequest> {
  const { rateLimit, replace, keepExisting } = flags;
  if (replace === true && keepExisting === true) {
    throw new UsageError('--replace and --keep-existing exclude each other', 'give one of the two');
  }
  const address = await addressOf(url, option, flags, session);
  return {
    address,
    tls: tlsFilesOf(flags, address, option),
    existing: replace === true ? 'replace' : keepExisting === true ? 'keep' : existing,
    rate:
      rateLimit === undefined
        ? { bytesPerSecond: null, keysPerSecond: null }
        : parseRate(rateLimit, '--rate-limit'),
    resume: flags.resume ?? null,
    asCommands: flags.asCommands === true,
    target: flags.for === undefined ? null : targetNamed(flags.for, '--for'),
    refuseLoss: session.settings.strict,
    nameKey: (key) => session.shown(key),
  };
}
