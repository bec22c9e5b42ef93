import { basename, dirname, isAbsolute, join } from 'node:path';
import { localTree } from '../bytes/file-tree.js';
import { type ByteSource, FileSource, inputErrorOf } from '../bytes/source.js';
import { StreamSource } from '../bytes/stream-source.js';
import { readdir, readFile, realpath, stat } from '../bytes/system.js';
import { FormatError, InputError } from '../errors.js';
import type { ToolContext } from './context.js';
import { Diagnoses, type Diagnosis, type UnknownLine } from './doctor/diagnosis.js';
import { LineCutter } from './doctor/log-lines.js';
import { unpacked } from './open-bytes.js';
import { type RecoverReport, recover } from './recover.js';
import { sniff } from './sniff.js';

/** What doctor is asked about: lines of text, standard input, or a path (a log, a data directory, a data file). */
export type DoctorSubject =
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'input'; readonly input: AsyncIterable<Uint8Array> }
  | { readonly kind: 'path'; readonly path: string };

/** A server whose lines were read, as far as they say. */
export interface ServerSeen {
  readonly product: 'redis' | 'valkey' | 'keydb';
  readonly version: string;
}

/** What was found in lines, in a log or in a directory and its logs. */
export interface DoctorReport {
  /** Where the lines were: a path, or null for lines given as such. */
  readonly path: string | null;
  /** `data`: the path is a file of a dataset, not a log. */
  readonly kind: 'lines' | 'log' | 'directory' | 'data';
  /** The worst first. */
  readonly diagnoses: readonly Diagnosis[];
  /** Lines in which nothing was recognised; of a log none is listed. */
  readonly unknown: readonly UnknownLine[];
  readonly linesRead: number;
  /** Lines in which something was recognised, messages of normal work included. */
  readonly linesKnown: number;
  readonly server: ServerSeen | null;
  /** The server's data directory, where that is known. */
  readonly directory: string | null;
  /** What recover finds in a directory; null elsewhere. */
  readonly situation: RecoverReport | null;
  /** Logs that were read, and why others were not. */
  readonly logs: readonly { readonly path: string; readonly lines: number; readonly unread: string | null }[];
}

/** Of a log, only the end of one that is longer is read. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;
const LOGS_MAX = 8;
/** Larger logs are not executed to count their keys: `recover` does that. */
const EXECUTED_MAX = 50e6;

/**
 * Says what servers meant by what they logged. A path is told by what is there: of a directory, the logs in it are read
 * and its files weighed as `recover` does it, executing small logs only. Nothing is changed.
 *
 * @throws InputError when the path can't be read
 */
export async function doctor(subject: DoctorSubject, context: ToolContext): Promise<DoctorReport> {
  if (subject.kind === 'path') return pathReport(subject.path, context);
  const found = new Diagnoses(true);
  if (subject.kind === 'lines') for (const line of subject.lines) found.line(line);
  else await readLines(new StreamSource(subject.input), found, context);
  return reportOf('lines', null, found, null);
}

async function pathReport(path: string, context: ToolContext): Promise<DoctorReport> {
  const stats = await stat(path).catch((error) => {
    throw inputErrorOf(error, path);
  });
  if (stats.isDirectory()) return directoryReport(path, context);
  const source = await FileSource.at(path);
  const plain = await unpacked(source, { signal: context.signal });
  if (isData(plain.head, path)) {
    return { ...reportOf('data', path, new Diagnoses(false), dirname(path)), kind: 'data' };
  }
  const found = new Diagnoses(false);
  await readLines(plain.source, found, context);
  const directory = await directoryOf(path);
  return {
    ...reportOf('log', path, found, directory),
    logs: [{ path, lines: found.linesRead, unread: null }],
  };
}

async function directoryReport(path: string, context: ToolContext): Promise<DoctorReport> {
  const situation = await recover(
    path,
    {
      config: null,
      dialect: null,
      way: null,
      strategy: 'truncate',
      measureBytes: EXECUTED_MAX,
      output: null,
    },
    context,
  );
  const found = new Diagnoses(false);
  const logs: { path: string; lines: number; unread: string | null }[] = [];
  for (const log of (await logsOf(path, situation)).slice(0, LOGS_MAX).reverse()) {
    const before = found.linesRead;
    let unread: string | null = null;
    found.nextLog(log);
    try {
      const plain = await unpacked(await FileSource.at(log), { signal: context.signal });
      await readLines(plain.source, found, context);
    } catch (error) {
      if (!(error instanceof InputError) && !(error instanceof FormatError)) throw error;
      unread = error.message;
    }
    logs.push({ path: log, lines: found.linesRead - before, unread });
  }
  return { ...reportOf('directory', path, found, path), situation, logs };
}

function reportOf(
  kind: DoctorReport['kind'],
  path: string | null,
  found: Diagnoses,
  directory: string | null,
): DoctorReport {
  return {
    path,
    kind,
    diagnoses: found.sorted(),
    unknown: found.unknown,
    linesRead: found.linesRead,
    linesKnown: found.linesKnown,
    server: serverSeen(found),
    directory: directory ?? found.directory,
    situation: null,
    logs: [],
  };
}

function serverSeen({ versions }: Diagnoses): ServerSeen | null {
  const { serverVersion, valkeyVersion, keydbVersion } = versions;
  if (valkeyVersion !== undefined) return { product: 'valkey', version: valkeyVersion };
  if (keydbVersion !== undefined) return { product: 'keydb', version: keydbVersion };
  return serverVersion === undefined ? null : { product: 'redis', version: serverVersion };
}

async function readLines(source: ByteSource, found: Diagnoses, context: ToolContext): Promise<void> {
  const cutter = new LineCutter((text) => found.line(text));
  const skipped = source.size !== null && source.size > LOG_BYTES_MAX ? source.size - LOG_BYTES_MAX : 0;
  const reader = await source.open(skipped);
  const chunk = Buffer.allocUnsafe(1 << 16);
  try {
    for (let done = skipped; ; ) {
      context.signal.throwIfAborted();
      const count = await reader.read(chunk);
      if (count === 0) break;
      cutter.push(chunk.subarray(0, count));
      done += count;
      context.progress({ label: source.label, done, total: source.size });
    }
    cutter.end();
  } finally {
    await reader.close();
  }
}

/** Whether bytes begin as a file of a dataset does; a log of a server is none. */
function isData(head: Buffer, path: string): boolean {
  if (/\.log(\.|$)/.test(basename(path))) return false;
  try {
    return sniff(head, path) !== 'ndjson';
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** The directory of a log, when it looks like that of the data, too. */
async function directoryOf(log: string): Promise<string | null> {
  const directory = dirname(log);
  const names = await readdir(directory).catch(() => []);
  const hasData = names.some((name) => name === 'appendonlydir' || /\.(rdb|aof)$/.test(name));
  return hasData ? directory : null;
}

/** Logs in the directory, the newest first, before them the one its configuration names. */
async function logsOf(directory: string, { config }: RecoverReport): Promise<string[]> {
  const names = (await localTree.list(directory))
    .filter((name) => /\.log(\.\d+)?(\.gz)?$/.test(name))
    .sort(byRotation);
  const logs = names.map((name) => join(directory, name));
  const text = config.path === null ? '' : await readFile(config.path, 'latin1').catch(() => '');
  const named = /^[ \t]*logfile[ \t]+"?([^"\r\n]+?)"?[ \t]*$/im.exec(text)?.[1] ?? '';
  if (named !== '') {
    const path = isAbsolute(named) ? named : join(directory, named);
    const isThere = await stat(path).then(
      (stats) => stats.isFile(),
      () => false,
    );
    if (isThere && !(await isAmong(path, logs))) logs.unshift(path);
  }
  return logs;
}

/** The configuration may name a log of the directory by another path: it is not read twice. */
async function isAmong(path: string, logs: readonly string[]): Promise<boolean> {
  const real = (each: string) => realpath(each).catch(() => each);
  const own = await real(path);
  for (const log of logs) if ((await real(log)) === own) return true;
  return false;
}

/** `redis.log` before `redis.log.1`: what is read last must be what the server said last. */
function byRotation(a: string, b: string): number {
  const turns = (name: string) => Number(/\.log\.(\d+)/.exec(name)?.[1] ?? 0);
  return turns(a) - turns(b) || (a < b ? -1 : 1);
}
