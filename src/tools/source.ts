import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type AofSet, openAofSet, singleFileSet } from '../aof/set.js';
import { pumpSource } from '../bytes/pump.js';
import {
  type ByteReader,
  type ByteSource,
  FileSource,
  inputErrorOf,
  readHead,
  StreamSource,
} from '../bytes/source.js';
import { FormatError, InputError } from '../errors.js';
import { RdbDecoder } from '../rdb/decoder.js';
import { RdbSink } from '../rdb/handler.js';
import { SNIFF_BYTES, sniff } from './sniff.js';

export interface OpenOptions {
  /** Which dataset of a directory is meant, where it holds both; null: the AOF. */
  readonly prefer: 'rdb' | 'aof' | null;
  /** What `-` reads; null: there is no such thing. */
  readonly stdin: AsyncIterable<Uint8Array> | null;
  /** Ends the wait for the first bytes of a pipe. */
  readonly signal: AbortSignal | null;
}

interface Common {
  /** As it was asked for. */
  readonly path: string;
  /** Which dataset was taken from a directory that holds several, in a sentence; '' when there was no choice. */
  readonly choice: string;
  /** Whether `path` is a directory. */
  readonly isDirectory: boolean;
}

/** One dataset in files. */
export type Source =
  | (Common & { readonly kind: 'rdb'; readonly bytes: ByteSource })
  | (Common & { readonly kind: 'aof'; readonly set: AofSet });

/**
 * Finds out what stands at `path`: a file is told by its content, a directory by its files, `-` is standard input.
 * Nothing but first bytes is read, except from an RDB that ends as a log would.
 *
 * @throws InputError when nothing can be read there or it is of no known format
 */
export async function openSource(path: string, options: OpenOptions): Promise<Source> {
  if (path === '-') return openPipe(options);
  const stats = await stat(path).catch((error) => {
    throw inputErrorOf(error, path);
  });
  if (stats.isDirectory()) return openDirectory(path, options.prefer);
  const bytes = await FileSource.at(path);
  const form = sniff(await readHead(bytes, SNIFF_BYTES), path);
  const common = { path, choice: '', isDirectory: false };
  if (form === 'manifest') return { ...common, kind: 'aof', set: await openAofSet(path) };
  if (form === 'aof' || form === 'preamble' || (await logFollows(bytes))) {
    return { ...common, kind: 'aof', set: await singleFileSet(bytes) };
  }
  return { ...common, kind: 'rdb', bytes };
}

/** The dataset as a log, whatever it is: an RDB is a log of no commands behind its preamble. */
export async function asLog(source: Source): Promise<AofSet> {
  return source.kind === 'aof' ? source.set : singleFileSet(source.bytes);
}

async function openPipe({ stdin, signal }: OpenOptions): Promise<Source> {
  if (stdin === null) throw new InputError('input/no-stdin', '-', 'there is no standard input here');
  const bytes = new PeekedSource(new StreamSource(stdin));
  const common = { path: '-', choice: '', isDirectory: false };
  const form = sniff(await bytes.peek(SNIFF_BYTES, signal), bytes.label);
  if (form === 'rdb') return { ...common, kind: 'rdb', bytes };
  if (form !== 'manifest') return { ...common, kind: 'aof', set: await singleFileSet(bytes) };
  throw new InputError(
    'input/manifest-on-stdin',
    bytes.label,
    'is a manifest, whose files cannot be found from a pipe',
    'give the path of the manifest or of its directory',
  );
}

async function openDirectory(path: string, prefer: OpenOptions['prefer']): Promise<Source> {
  const rdb = prefer === 'aof' ? null : await findRdb(path);
  const set = prefer === 'rdb' ? null : await findLog(path);
  if (set !== null) {
    const choice = rdb === null ? '' : `${path}: the AOF is taken, not ${basename(rdb)} (--prefer rdb)`;
    return { path, choice, isDirectory: true, kind: 'aof', set };
  }
  if (rdb !== null) {
    return { path, choice: '', isDirectory: true, kind: 'rdb', bytes: await FileSource.at(rdb) };
  }
  throw await nothingThere(path, prefer);
}

async function findLog(path: string): Promise<AofSet | null> {
  try {
    return await openAofSet(path);
  } catch (error) {
    if (error instanceof InputError && error.code === 'input/no-aof') return null;
    throw error;
  }
}

/** `dump.rdb`, or the only other RDB that is neither the base of a log nor left over from a save. */
async function findRdb(directory: string): Promise<string | null> {
  const names = await list(directory);
  const files = names.filter((name) => /\.rdb$/.test(name) && !/^temp-|\.base\.rdb$/.test(name));
  if (files.includes('dump.rdb')) return join(directory, 'dump.rdb');
  if (files.length > 1) {
    const several = files.slice(0, 5).join(', ');
    throw new InputError(
      'input/ambiguous',
      directory,
      `holds several RDBs: ${several}`,
      'name the one you mean',
    );
  }
  return files[0] === undefined ? null : join(directory, files[0]);
}

async function nothingThere(directory: string, prefer: OpenOptions['prefer']): Promise<InputError> {
  const names = await list(directory);
  const aof = 'an AOF (a manifest, appendonlydir or appendonly.aof)';
  const rdb = 'an RDB (dump.rdb)';
  const sought = prefer === 'aof' ? aof : prefer === 'rdb' ? rdb : `${aof} or ${rdb}`;
  const unfinished = names.find((name) => /^temp-.*\.rdb$/.test(name));
  return new InputError(
    'input/no-dataset',
    directory,
    names.length === 0 ? `is an empty directory: expected ${sought}` : `does not hold ${sought}`,
    unfinished === undefined
      ? '`redis-cli CONFIG GET dir` on the running server tells where its files are'
      : `a save that did not finish left ${join(directory, unfinished)}: name it to see how far it reads`,
  );
}

async function list(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    throw inputErrorOf(error, directory);
  }
}

/**
 * True when commands follow the RDB in a file, though it does not say of itself that they do. Such a file ends in a
 * line end, an RDB only by the chance of its checksum: so the walk through it is rarely made.
 */
async function logFollows(source: FileSource): Promise<boolean> {
  if (source.size < 2 || (await tail(source, 2)) !== '\r\n') return false;
  const decoder = new RdbDecoder(new RdbSink(), { verifyChecksum: false, deep: false });
  try {
    const window = await pumpSource(source, decoder);
    const next = (await bytesAt(source, window.offset, 1))[0];
    return next === STAR || next === HASH;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

const STAR = 42;
const HASH = 35;

async function tail(source: FileSource, count: number): Promise<string> {
  return (await bytesAt(source, source.size - count, count)).latin1Slice();
}

async function bytesAt(source: FileSource, offset: number, count: number): Promise<Buffer> {
  const reader = await source.open(offset);
  try {
    const into = Buffer.alloc(count);
    return into.subarray(0, await reader.read(into));
  } finally {
    await reader.close();
  }
}

/** A pipe whose first bytes can be looked at before it is read. */
class PeekedSource implements ByteSource {
  readonly size = null;
  readonly label: string;
  private reader: ByteReader | null = null;
  private head: Buffer = Buffer.alloc(0);

  constructor(private readonly pipe: StreamSource) {
    this.label = pipe.label;
  }

  /** @throws the signal's reason when aborted, even while nothing comes */
  async peek(count: number, signal: AbortSignal | null): Promise<Buffer> {
    signal?.throwIfAborted();
    const reader = await this.pipe.open();
    // Closing the pipe is what ends a read of it.
    const close = () => void reader.close();
    signal?.addEventListener('abort', close);
    const head = Buffer.alloc(count);
    let filled = 0;
    try {
      while (filled < count) {
        const read = await reader.read(head.subarray(filled));
        if (read === 0) break;
        filled += read;
      }
    } finally {
      signal?.removeEventListener('abort', close);
      signal?.throwIfAborted();
    }
    this.reader = reader;
    return (this.head = head.subarray(0, filled));
  }

  async open(start = 0): Promise<ByteReader> {
    const { reader } = this;
    if (reader === null || start !== 0) return this.pipe.open(start);
    this.reader = null;
    return {
      read: async (into) => {
        if (this.head.length === 0) return reader.read(into);
        const part = this.head.subarray(0, into.length);
        into.set(part);
        this.head = this.head.subarray(part.length);
        return part.length;
      },
      close: () => reader.close(),
    };
  }
}
