import type { Command } from 'commander';
import { localDisk } from '../bytes/disk.js';
import { UsageError } from '../errors.js';
import { isServerAddress, parseServerAddress } from '../live/address.js';
import { thisProcess } from '../tools/library/verify.js';
import { retentionOf } from '../tools/verify/retention.js';
import type { VerifyTarget } from '../tools/verify/source.js';
import type { VerifyOptions } from '../tools/verify.js';
import { type LiveSourceFlags, liveAccessOf, liveSourceOptions } from './live-flags.js';
import type { Session } from './session.js';
import { parseCount } from './values.js';
import { type ConfiguredSource, readConfig, type VerifyConfig } from './verify-config.js';
import {
  BY_OPTION,
  type Naming,
  parseShare,
  parseSpan,
  RULE_FIELDS,
  type RuleFieldName,
  type RuleValues,
  rulesOf,
  wordOf,
} from './verify-fields.js';

export interface VerifyFlags extends LiveSourceFlags, RuleValues {
  readonly name?: string;
  readonly config?: string;
  readonly only?: readonly string[];
  readonly state?: string;
  readonly lock?: string;
  readonly accept?: boolean;
  readonly format?: string;
  readonly prometheus?: string;
  readonly ping?: string;
  readonly pingTimeout?: string;
  readonly onFailure?: string;
  readonly timeout?: string;
  readonly evidence?: string;
  readonly against?: string;
}

export function verifyOptions(command: Command): Command {
  const several = (value: string, before: readonly string[] = []): string[] => [...before, value];
  command
    .option('--name <name>', 'what reports, metrics and the state call it (default: its path)')
    .option(
      '--config <file>',
      'sources and their rules, as JSON (docs/verify.md); options here count before it',
    )
    .option('--only <name>', 'of the configuration this source alone (again for more)', several)
    .optionsGroup('Rules:');
  for (const { option, placeholder, says, kind } of RULE_FIELDS) {
    const name = placeholder === '' ? option : `${option} ${placeholder}`;
    if (kind === 'words') command.option(name, says, several);
    else command.option(name, says);
  }
  command
    .optionsGroup('What it remembers and whom it tells:')
    .option('--state <file>', 'remember runs, 400 of each source, and compare with the last good one')
    .option('--accept', 'compare later runs with this one, even if it changed too much')
    .option('--lock <file>', 'only one run at a time (default with --state: its name and .lock)')
    .option('--format <form>', 'text, json, or nagios: the line of a monitoring plugin')
    .option('--prometheus <file>', 'write metrics for the textfile collector of node_exporter')
    .option('--ping <url>', "tell a dead-man's-switch service: URL/start, then URL or URL/fail")
    .option('--ping-timeout <span>', 'how long it may take to answer (default: 10s)')
    .option('--on-failure <command>', 'run a shell command when something failed; it reads which and why')
    .option('--timeout <span>', 'what is not verified by then has failed')
    .option('--evidence <file>', 'write inputs with SHA-256, options and results there, as JSON')
    .optionsGroup('Options:');
  return liveSourceOptions(command);
}

export interface VerifyRequest {
  readonly options: VerifyOptions;
  readonly config: VerifyConfig | null;
}

const PING_TIMEOUT = '10s';
const PING_RETRIES = 2;
const ALARM_TIMEOUT_MS = 60_000;

/** Everything that the command line and the configuration come to. @throws UsageError */
export async function requestOf(
  paths: readonly string[],
  flags: VerifyFlags,
  session: Session,
): Promise<VerifyRequest> {
  const config = flags.config === undefined ? null : await readConfig(flags.config);
  const { env } = session.io;
  const statePath = flags.state ?? config?.state ?? null;
  const targets = [
    ...paths.map((path) => fromCommandLine(path, paths.length, flags, statePath !== null, session)),
    ...configured(config, flags.only ?? []).map((source) =>
      fromConfig(source, flags, statePath !== null, session),
    ),
  ];
  if (targets.length === 0) {
    throw new UsageError('there is nothing to verify', 'name a backup, or give --config FILE');
  }
  const timeout = flags.timeout ?? config?.timeout ?? null;
  const command = flags.onFailure ?? config?.onFailure ?? null;
  const options: VerifyOptions = {
    targets,
    statePath,
    lockPath: flags.lock ?? config?.lock ?? null,
    owner: thisProcess,
    metricsPath: flags.prometheus ?? config?.prometheus ?? null,
    timeoutMs: timeout === null ? null : parseSpan(timeout, '--timeout'),
    accept: flags.accept === true,
    ping: pingOf(flags, config, session),
    alarm: command === null ? null : { command, timeoutMs: ALARM_TIMEOUT_MS, environment: env },
    dialect: session.settings.dialect,
    stdin: session.io.stdin,
    show: (text) => session.shown(text),
    disk: localDisk,
  };
  return { options, config };
}

function configured(config: VerifyConfig | null, only: readonly string[]): readonly ConfiguredSource[] {
  if (config === null) {
    if (only.length > 0) throw new UsageError('--only is about a configuration', 'give --config FILE');
    return [];
  }
  for (const name of only) {
    if (config.sources.some((source) => source.name === name)) continue;
    const names = config.sources.map((source) => source.name).join(', ');
    throw new UsageError(`--only: ${config.path} has no source ${name}`, `it has ${names}`);
  }
  return only.length === 0 ? config.sources : config.sources.filter(({ name }) => only.includes(name));
}

function fromCommandLine(
  path: string,
  count: number,
  flags: VerifyFlags,
  remembers: boolean,
  session: Session,
): VerifyTarget {
  if (flags.name !== undefined && count > 1) {
    throw new UsageError(
      '--name: there are several sources',
      'give each a run of its own, or a configuration',
    );
  }
  const label = isServerAddress(path) ? parseServerAddress(path, 'the source').label : path;
  const live = liveAccessOf(flags, session);
  return targetOf(flags.name ?? label, path, flags, BY_OPTION, remembers, live, session);
}

/** How the servers of one source are reached: what the configuration says of it counts before the options. */
function liveOf(
  { user, passwordEnv, at }: ConfiguredSource,
  flags: VerifyFlags,
  session: Session,
): ReturnType<typeof liveAccessOf> {
  const access = liveAccessOf(flags, session);
  if (user === null && passwordEnv === null) return access;
  const password = passwordEnv === null ? null : (session.io.env[passwordEnv] ?? '');
  if (password === '') {
    throw new UsageError(
      `${flags.config}: ${at}.passwordEnv: ${passwordEnv} is not set`,
      'set it, or take the field out',
    );
  }
  return {
    ...access,
    settings: async (text) => {
      const settings = await access.settings(text);
      const { address } = settings;
      const told = { username: user ?? address.username, password: password ?? address.password };
      return { ...settings, address: { ...address, ...told } };
    },
  };
}

function fromConfig(
  source: ConfiguredSource,
  flags: VerifyFlags,
  remembers: boolean,
  session: Session,
): VerifyTarget {
  const { name, path, values, at } = source;
  const given = RULE_FIELDS.filter((field) => flags[field.name] !== undefined);
  const overriding = Object.fromEntries(given.map((field) => [field.name, flags[field.name]])) as RuleValues;
  const naming = (field: RuleFieldName): string =>
    field in overriding ? BY_OPTION(field) : `${flags.config}: ${at}.${field}`;
  const live = liveOf(source, flags, session);
  return targetOf(name, path, { ...values, ...overriding }, naming, remembers, live, session);
}

function targetOf(
  name: string,
  path: string,
  values: RuleValues,
  naming: Naming,
  remembers: boolean,
  live: ReturnType<typeof liveAccessOf>,
  session: Session,
): VerifyTarget {
  const drill = wordOf(values.drill, naming('drill'), ['embedded', 'server']);
  const separator = String(values.prefixSeparator ?? ':');
  if (Buffer.byteLength(separator) !== 1) {
    throw new UsageError(
      `${naming('prefixSeparator')}: '${separator}' is not one character`,
      'give one, such as : or /',
    );
  }
  return {
    name,
    path,
    prefer: wordOf(values.prefer, naming('prefer'), ['rdb', 'aof']),
    rules: rulesOf(values, naming, remembers, session.settings.strict),
    drill:
      drill === null
        ? null
        : { kind: drill, program: values.server === undefined ? null : String(values.server) },
    against: againstOf(values, naming, live),
    backups: backupsOf(path, values, naming),
    separator,
    live,
  };
}

function againstOf(
  values: RuleValues,
  naming: Naming,
  live: ReturnType<typeof liveAccessOf>,
): VerifyTarget['against'] {
  const { against, sample, maxDrift } = values;
  if (against === undefined) {
    for (const name of ['sample', 'maxDrift'] as const) {
      if (values[name] === undefined) continue;
      throw new UsageError(
        `${naming(name)} is about a comparison`,
        `name the server with ${naming('against')}`,
      );
    }
    return null;
  }
  parseServerAddress(String(against), naming('against'));
  return {
    address: String(against),
    live,
    sample: sample === undefined ? null : parseCount(String(sample), naming('sample'), 1),
    maxDrift: maxDrift === undefined ? 0 : parseShare(String(maxDrift), naming('maxDrift')),
  };
}

function backupsOf(path: string, values: RuleValues, naming: Naming): VerifyTarget['backups'] {
  const { backups, keep } = values;
  if (backups !== true) {
    if (keep === undefined) return null;
    throw new UsageError(
      `${naming('keep')} is about a directory of backups`,
      `give ${naming('backups')} too`,
    );
  }
  if (path === '-' || path.includes('://')) {
    throw new UsageError(`${naming('backups')}: ${path === '-' ? 'a pipe' : 'an address'} is no directory`);
  }
  return keep === undefined ? [] : retentionOf(String(keep), naming('keep'));
}

function pingOf(flags: VerifyFlags, config: VerifyConfig | null, { io }: Session): VerifyOptions['ping'] {
  const { pingEnv = null } = config ?? {};
  const fromConfig = pingEnv === null ? undefined : io.env[pingEnv];
  if (pingEnv !== null && (fromConfig ?? '') === '' && flags.ping === undefined) {
    throw new UsageError(
      `${flags.config}: verify.pingEnv: ${pingEnv} is not set`,
      'set it, or take the field out',
    );
  }
  const url = flags.ping ?? fromConfig ?? io.env['REKINDLE_PING_URL'] ?? '';
  if (url === '') return null;
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url.replace(/\{state\}/gi, 'start'))) {
    throw new UsageError('--ping: this is no address', 'give https://… as the service shows it');
  }
  const timeout = flags.pingTimeout ?? config?.pingTimeout ?? PING_TIMEOUT;
  return { url, timeoutMs: parseSpan(timeout, '--ping-timeout'), retries: PING_RETRIES };
}

/** Where evidence goes; that of a configuration is replaced by each run. */
export function evidencePathOf(
  flags: VerifyFlags,
  config: VerifyConfig | null,
): { readonly path: string; readonly replace: boolean } | null {
  if (flags.evidence !== undefined) return { path: flags.evidence, replace: false };
  const path = config?.evidence ?? null;
  return path === null ? null : { path, replace: true };
}
