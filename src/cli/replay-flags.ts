import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { CommandPattern } from '../resp/pattern.js';
import { packingByName, unpackedName } from '../tools/convert/forms.js';
import { serverNamed } from '../tools/family.js';
import { EVERY_KEY } from '../tools/filter.js';
import type { SendRequest } from '../tools/replay/send.js';
import type { ReplayOptions } from '../tools/replay.js';
import { targetNamed } from '../tools/target-choice.js';
import { formByName } from '../tools/write-dataset.js';
import { type CutFlags, cutOf } from './cut-flags.js';
import { conditionsOf, type FilterFlags } from './filter-flags.js';
import { SEND_ONLY, type SendFlags, sendOptions, sendRequestOf } from './send-flags.js';
import type { Session } from './session.js';
import type { SourceFlags } from './source-flags.js';
import { parseWord } from './values.js';

/** Options of `replay`, as commander hands them over. */
export interface ReplayFlags extends SourceFlags, CutFlags, FilterFlags, SendFlags {
  readonly out?: string;
  readonly to?: string;
  readonly as?: string;
  readonly onUnknown?: string;
  readonly digest?: boolean;
  readonly expectDigest?: string;
  readonly execute: boolean;
  readonly undo?: string;
  readonly engine?: string;
  readonly server?: string;
  readonly target?: string;
}

export function replayOptions(command: Command): Command {
  return command
    .option('--undo <pattern>', 'bring back just the keys that the first matching command removed')
    .option('--out <path>', 'write the dataset there: NAME.rdb, NAME.aof, NAME.resp or a directory')
    .option('--to <form>', 'what to write: rdb, aofdir, aof, resp (default: by the ending of --out)')
    .option('--for <server>', 'write what that server loads: redis-7.0, … (default: who wrote the log)')
    .option('--no-execute', 'copy the files up to that point as they are, without executing them')
    .option('--as <server>', 'print the digest as that server does (default: who wrote the log)')
    .option('--digest', 'compute the digest with --target, too, where it is left out otherwise')
    .option('--no-digest', 'skip the digest, which takes a fifth of the time of a large replay')
    .option('--expect-digest <hex>', 'write nothing and exit 1 unless the digest is this one')
    .option('--engine <engine>', 'server: load the same cut into a private redis-server, too, and compare')
    .option('--server <program>', 'the program of that server (default: redis-server on the PATH)')
    .option('--on-unknown <what>', 'at a command the engine does not know: stop (default) or skip');
}

export function targetOptions(command: Command): Command {
  const into = command
    .optionsGroup('Into a live server:')
    .option('--target <url>', 'put the keys there: redis://HOST:PORT[/DB], rediss:// or unix:///SOCKET');
  return sendOptions(into);
}

/** @throws UsageError for values that are none, and for options that say nothing together */
export async function replayOptionsOf(flags: ReplayFlags, session: Session): Promise<ReplayOptions> {
  const { settings } = session;
  refuseContradictions(flags);
  const conditions = conditionsOf(flags);
  const options: ReplayOptions = {
    cut: cutOf(flags),
    as: flags.as === undefined ? null : serverNamed(flags.as, '--as'),
    onUnknown: parseWord(flags.onUnknown ?? 'stop', '--on-unknown', ['stop', 'skip']),
    dialect: settings.dialect,
    output: outputOf(flags, session),
    digest: flags.digest ?? flags.target === undefined,
    expectDigest: flags.expectDigest === undefined ? null : digestOf(flags.expectDigest),
    conditions,
    undo: flags.undo === undefined ? null : new CommandPattern(flags.undo),
    send: await sendOf(flags, session),
    prove: proveOf(flags),
    execute: flags.execute,
  };
  if (!options.execute && !sameConditions(conditions)) {
    throw new UsageError(
      '--no-execute copies files: keys cannot be chosen',
      'leave the filters out, or leave --no-execute out',
    );
  }
  return options;
}

const sameConditions = (conditions: ReplayOptions['conditions']): boolean =>
  JSON.stringify(conditions) === JSON.stringify(EVERY_KEY);

/** Pairs that cannot both be meant, or of which the first needs the second. */
function refuseContradictions(flags: ReplayFlags): void {
  const { out, to, target, execute } = flags;
  if (out === undefined && to !== undefined) {
    throw new UsageError('--to says how to write, but not where', 'add --out PATH');
  }
  if (out === undefined && target === undefined && flags.for !== undefined) {
    throw new UsageError('--for says for whom to write, but not where', 'add --out PATH or --target URL');
  }
  if (out !== undefined && target !== undefined) {
    throw new UsageError('--out and --target are two places', 'give one of the two');
  }
  if (flags.digest === false && flags.expectDigest !== undefined) {
    throw new UsageError('--expect-digest needs the digest that --no-digest skips', 'give one of the two');
  }
  if (target === undefined) {
    const lone = LIVE_ONLY.find((name) => flags[name] !== undefined);
    if (lone !== undefined) throw new UsageError(`--${dashed(lone)} is for --target`, 'add --target URL');
  }
  if (execute) return;
  if (out === undefined)
    throw new UsageError('--no-execute copies files, and does not know where', 'add --out DIR');
  const needing = NEEDS_ENGINE.find((name) => flags[name] !== undefined);
  if (needing === undefined) return;
  throw new UsageError(
    `--no-execute copies files as they are: --${dashed(needing)} needs them executed`,
    'give one of the two',
  );
}

const LIVE_ONLY = [...SEND_ONLY, ...(['user', 'askpass', 'tlsCa', 'tlsCert', 'tlsKey', 'insecure'] as const)];

const NEEDS_ENGINE = ['undo', 'expectDigest', 'engine', 'for', 'as', 'onUnknown'] as const;

const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function outputOf(flags: ReplayFlags, session: Session): ReplayOptions['output'] {
  const { out, to } = flags;
  if (out === undefined) return null;
  if (out === '-')
    throw new UsageError('--out: the output is a file or a directory, not a pipe', 'give a path');
  const packing = packingByName(out);
  const form =
    to === undefined
      ? formByName(unpackedName(out))
      : parseWord(to, '--to', ['rdb', 'aofdir', 'aof', 'resp']);
  if (packing !== null && form === 'aofdir') {
    throw new UsageError(
      '--out: a directory is not compressed',
      'name the form, too: NAME.rdb.gz or --to rdb',
    );
  }
  if (packing !== null && !flags.execute) {
    throw new UsageError('--no-execute copies files as they are', 'give a name without that ending');
  }
  return {
    path: out,
    form,
    packing,
    target: flags.for === undefined ? null : targetNamed(flags.for, '--for'),
    force: session.settings.force,
    refuseLoss: session.settings.strict,
  };
}

async function sendOf(flags: ReplayFlags, session: Session): Promise<SendRequest | null> {
  if (flags.target === undefined) return null;
  // What an undo brings back stands aside for what is newer.
  const existing = flags.undo === undefined ? 'refuse' : 'keep';
  return sendRequestOf(flags.target, '--target', flags, session, existing);
}

function proveOf(flags: ReplayFlags): ReplayOptions['prove'] {
  const engine = parseWord(flags.engine ?? 'embedded', '--engine', ['embedded', 'server']);
  if (engine === 'server') return { program: flags.server ?? null };
  if (flags.server !== undefined) throw new UsageError('--server is for --engine server', 'give both');
  return null;
}

function digestOf(text: string): string {
  if (/^[0-9a-f]{40}$/i.test(text)) return text.toLowerCase();
  throw new UsageError(
    `--expect-digest: '${text}' is not a digest`,
    'give the 40 hex digits that DEBUG DIGEST prints',
  );
}
