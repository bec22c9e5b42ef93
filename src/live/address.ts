import { UsageError } from '../errors.js';

/** Where a server is and as whom to talk to it. */
export interface ServerAddress {
  readonly place:
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string };
  readonly tls: boolean;
  /** Null: the default user. */
  readonly username: string | null;
  readonly password: string | null;
  /** The database that the address names; null: none. */
  readonly database: number | null;
  /** The address without user and password: all that messages may show. */
  readonly label: string;
}

const SCHEME = /^(redis|rediss|unix):\/\//i;

/** Whether a word names a live server rather than a file. */
export function isServerAddress(text: string): boolean {
  return SCHEME.test(text);
}

/**
 * `redis://[user[:password]@]host[:port][/db]`, `rediss://…` with TLS, `unix://[user[:password]@]/path[?db=N]`.
 *
 * @throws UsageError for anything else; its message never repeats what may hold a password
 */
export function parseServerAddress(text: string, option: string): ServerAddress {
  const parsed = addressIn(text);
  if (parsed !== null) return parsed;
  throw new UsageError(
    `${option}: this is no address of a server`,
    'give redis://host:6379, rediss://host:6379 (TLS) or unix:///path/of/the.sock, with /N or ?db=N for one database',
  );
}

function addressIn(text: string): ServerAddress | null {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  return scheme === undefined ? null : scheme === 'unix' ? unixAddress(text) : tcpAddress(text);
}

const CREDENTIALS = /^(\s*[a-z][a-z\d+.-]*:\/\/).*@/is;

/** How messages and reports may call a source: the address of a server by its label, any other without user and password. */
export function shownSource(text: string): string {
  return addressIn(text)?.label ?? text.replace(CREDENTIALS, '$1');
}

function tcpAddress(text: string): ServerAddress | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const database = databaseOf(url.pathname.replace(/^\//, '') || url.searchParams.get('db'));
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (url.hostname === '' || database === undefined || username === null || password === null) return null;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? 6379 : Number(url.port);
  return {
    place: { kind: 'tcp', host, port },
    tls: url.protocol === 'rediss:',
    ...credentials(username, password),
    database,
    label: `${url.protocol}//${url.hostname}:${port}${database === null ? '' : `/${database}`}`,
  };
}

function unixAddress(text: string): ServerAddress | null {
  const match = /^unix:\/\/(?:([^@/?]*)@)?(\/[^?]*)(?:\?(.*))?$/is.exec(text);
  if (match === null) return null;
  const [, user = '', path = '', query = ''] = match;
  const [, name = '', secret = ''] = /^([^:]*)(?::(.*))?$/s.exec(user)!;
  const database = databaseOf(new URLSearchParams(query).get('db'));
  const username = decoded(name);
  const password = decoded(secret);
  const place = decoded(path);
  if (database === undefined || username === null || password === null || place === null) return null;
  return {
    place: { kind: 'unix', path: place },
    tls: false,
    ...credentials(username, password),
    database,
    label: `unix://${place}${database === null ? '' : `?db=${database}`}`,
  };
}

function credentials(username: string, password: string): Pick<ServerAddress, 'username' | 'password'> {
  return { username: username === '' ? null : username, password: password === '' ? null : password };
}

/** Undefined when it is no number of a database. */
function databaseOf(text: string | null): number | null | undefined {
  if (text === null || text === '') return null;
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
