import type { Socket } from 'node:net';
import type { Redis, RedisOptions } from 'ioredis';
import { readFile } from '../bytes/system.js';
import { InputError, OutputError } from '../errors.js';
import type { ServerAddress } from './address.js';
import { connectionErrorOf } from './failure.js';

/** Files of a TLS connection; null: the system's authorities, no certificate of our own. */
export interface TlsFiles {
  readonly caPath: string | null;
  readonly certPath: string | null;
  readonly keyPath: string | null;
  /** Take any certificate: the connection is secret and the server may be anybody. */
  readonly insecure: boolean;
}

/** How to reach a server, its certificates read. */
export interface ConnectionSettings {
  readonly address: ServerAddress;
  readonly tls: TlsMaterial | null;
}

interface TlsMaterial {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly rejectUnauthorized: boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Reads the certificates. @throws InputError when one of the files cannot be read */
export async function connectionSettings(
  address: ServerAddress,
  files: TlsFiles,
): Promise<ConnectionSettings> {
  if (!address.tls) return { address, tls: null };
  const { caPath, certPath, keyPath, insecure } = files;
  const [ca, cert, key] = await Promise.all([caPath, certPath, keyPath].map(readCertificate));
  return { address, tls: { ca, cert, key, rejectUnauthorized: !insecure } };
}

async function readCertificate(path: string | null): Promise<Buffer | undefined> {
  if (path === null) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw new InputError('input/certificate', path, `cannot be read: ${(error as Error).message}`);
  }
}

/** A reply as ioredis gives it, texts as bytes. */
export type Reply = Buffer | number | null | readonly Reply[];

/** A reply, or the error that the server gave in its place. */
export type Answer = Reply | Error;

/**
 * One connection to one server, for questions: one promise each. For what goes in large blocks `takeOver` gives the
 * bare stream, authenticated and encrypted as it is.
 */
export class ServerConnection {
  private constructor(
    readonly label: string,
    private readonly client: Redis,
    private readonly password: string | null,
  ) {}

  /** Connects and authenticates. @throws OutputError in words that tell what to do, never the password */
  static async open(settings: ConnectionSettings, label = settings.address.label): Promise<ServerConnection> {
    const { Redis: Client } = await import('ioredis');
    const client = new Client(clientOptions(settings));
    let last: unknown = null;
    client.on('error', (error) => {
      last = error;
    });
    try {
      await client.connect();
    } catch (error) {
      client.disconnect();
      throw connectionErrorOf(withoutPassword(last ?? error, settings.address.password), label);
    }
    return new ServerConnection(label, client, settings.address.password);
  }

  /** Asks; texts in the reply are bytes. @throws ReplyError of ioredis for an error of the server's, OutputError when the connection broke */
  async ask(...words: readonly (string | number | Buffer)[]): Promise<Reply> {
    const [name = '', ...rest] = words;
    try {
      return (await this.client.callBuffer(String(name), rest)) as Reply;
    } catch (error) {
      if (isReplyError(error)) throw withoutPassword(error, this.password);
      throw connectionErrorOf(error, this.label);
    }
  }

  /** The same, with the reply as text. */
  async text(...words: readonly (string | number | Buffer)[]): Promise<string> {
    const reply = await this.ask(...words);
    if (Buffer.isBuffer(reply)) return reply.toString('utf8');
    return typeof reply === 'number' ? String(reply) : '';
  }

  /** The stream itself, which then is the caller's alone: `ask` must not be called any more. */
  takeOver(): Socket {
    const stream = this.client.stream as Socket;
    stream.removeAllListeners('data');
    return stream;
  }

  close(): void {
    this.client.disconnect();
  }
}

/** What ioredis is told: it never reconnects by itself, as what was under way would be lost without a word. */
export function clientOptions({ address, tls }: ConnectionSettings): Omit<RedisOptions, 'replyMapping'> {
  const { place, username, password } = address;
  return {
    ...(place.kind === 'unix' ? { path: place.path } : { host: place.host, port: place.port }),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null
      ? {}
      : {
          tls: {
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
            rejectUnauthorized: tls.rejectUnauthorized,
          },
        }),
    lazyConnect: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    reconnectOnError: null,
    connectTimeout: CONNECT_TIMEOUT_MS,
    protocol: 2,
    disableClientInfo: true,
  };
}

/** Runs `body` with a connection and closes it. @throws OutputError when the server cannot be reached */
export async function withConnection<T>(
  settings: ConnectionSettings,
  body: (connection: ServerConnection) => Promise<T>,
): Promise<T> {
  const connection = await ServerConnection.open(settings);
  try {
    return await body(connection);
  } finally {
    connection.close();
  }
}

/** An error that a server answered with, rather than one of the connection. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Some that stand in for servers repeat what they were sent. */
export function withoutPassword(error: unknown, password: string | null): unknown {
  if (password !== null && password !== '' && isReplyError(error)) {
    error.message = error.message.replaceAll(password, '(password)');
  }
  return error;
}

/** Lets errors of the connection pass and words those of the server as a refusal. */
export function refusalOf(error: unknown, label: string, what: string): OutputError {
  if (error instanceof OutputError) return error;
  return new OutputError(label, `${what}: ${(error as Error).message}`);
}
