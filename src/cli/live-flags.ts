import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { parseServerAddress, type ServerAddress } from '../live/address.js';
import { connectionSettings, type TlsFiles } from '../live/connection.js';
import { VIAS } from '../tools/live/choose.js';
import type { LiveAccess } from '../tools/live/source.js';
import { askPassword } from './password.js';
import type { Session } from './session.js';
import { parseWord } from './values.js';

/** Options of every command that talks to a live server. */
export interface LiveFlags {
  readonly user?: string;
  readonly askpass?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
}

/** Options of every command that takes live servers as sources. */
export interface LiveSourceFlags extends LiveFlags {
  readonly via?: string;
}

export function liveSourceOptions(command: Command): Command {
  return liveOptions(command)
    .optionsGroup(SERVER_GROUP)
    .option('--via <how>', 'read it by sync, dump or type (default: the first that it allows)')
    .optionsGroup('Options:');
}

const SERVER_GROUP = 'Talking to a server (password: in the address, REKINDLE_PASSWORD, or --askpass):';

export function liveOptions(command: Command): Command {
  return command
    .optionsGroup(SERVER_GROUP)
    .option('--user <name>', 'the ACL user')
    .option('--askpass', 'ask for the password on the terminal')
    .option('--tls-ca <file>', 'the authority that signed its certificate (with rediss://)')
    .option('--tls-cert <file>', 'a certificate of our own')
    .option('--tls-key <file>', 'the key of that certificate')
    .option('--insecure', 'take any certificate: the server may then be anybody')
    .optionsGroup('Options:');
}

/** The address with user and password from wherever they are told. @throws UsageError for an address that is none */
export async function addressOf(
  text: string,
  option: string,
  flags: LiveFlags,
  session: Session,
): Promise<ServerAddress> {
  const ask = (label: string): Promise<string> => askPassword(`password for ${label}: `, session);
  return credentialsOf(parseServerAddress(text, option), flags, session, ask);
}

async function credentialsOf(
  address: ServerAddress,
  flags: LiveFlags,
  session: Session,
  ask: (label: string) => Promise<string>,
): Promise<ServerAddress> {
  const fromEnvironment = session.io.env['REKINDLE_PASSWORD'] ?? '';
  const asked = flags.askpass === true ? await ask(address.label) : null;
  const password = asked ?? address.password ?? (fromEnvironment === '' ? null : fromEnvironment);
  const username = flags.user ?? address.username;
  if (username !== null && password === null && flags.user === undefined) {
    // Often it is the password that was meant: it is not repeated.
    throw new UsageError(
      `${address.label}: the address names a user and no password`,
      'give it in REKINDLE_PASSWORD; one without a user is written redis://:PASSWORD@HOST',
    );
  }
  if (username !== null && password === null) {
    throw new UsageError(
      `--user ${username} needs a password`,
      'give it in REKINDLE_PASSWORD, or have it asked for with --askpass',
    );
  }
  return { ...address, username, password };
}

/** How the live servers among the sources of a command are reached. A password is asked for once. */
export function liveAccessOf(flags: LiveSourceFlags, session: Session): LiveAccess {
  let asked: Promise<string> | null = null;
  const ask = (label: string): Promise<string> => (asked ??= askPassword(`password for ${label}: `, session));
  return {
    settings: async (text) => {
      const address = await credentialsOf(parseServerAddress(text, 'the source'), flags, session, ask);
      return connectionSettings(address, tlsFilesOf(flags, address, address.label));
    },
    via: flags.via === undefined ? null : parseWord(flags.via, '--via', VIAS),
    remark: (text) => session.warn(text),
    shown: (name) => session.shown(name),
  };
}

/** @throws UsageError when certificates are given for an address without TLS */
export function tlsFilesOf(flags: LiveFlags, address: ServerAddress, option: string): TlsFiles {
  const { tlsCa, tlsCert, tlsKey, insecure } = flags;
  if (!address.tls && (tlsCa ?? tlsCert ?? tlsKey ?? insecure) !== undefined) {
    throw new UsageError(
      `--tls-… and --insecure are for TLS, and ${option} has none`,
      `write rediss:// instead of redis://`,
    );
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError('--tls-cert and --tls-key go together', 'give both, or neither');
  }
  return {
    caPath: tlsCa ?? null,
    certPath: tlsCert ?? null,
    keyPath: tlsKey ?? null,
    insecure: insecure === true,
  };
}
