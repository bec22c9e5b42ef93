import { tmpdir } from 'node:os';
import { basename, dirname } from 'node:path';
import { type AofSet, openAofSet, singleFileSet } from '../aof/set.js';
import { type FileTree, holdingTree, localTree, pathIn } from '../bytes/file-tree.js';
import { pumpSource } from '../bytes/pump.js';
import { isS3Address } from '../bytes/s3/address.js';
import type { S3Access } from '../bytes/s3/client.js';
import { type ByteSource, FileSource, inputErrorOf, readAt } from '../bytes/source.js';
import { spooled } from '../bytes/spool.js';
import { StreamSource } from '../bytes/stream-source.js';
import { stat } from '../bytes/system.js';
import { indexTar, isTar } from '../bytes/tar.js';
import { TarTree } from '../bytes/tar-tree.js';
import { type Packing, UnpackedSource } from '../bytes/unpack.js';
import { FormatError, InputError } from '../errors.js';
import { isServerAddress } from '../live/address.js';
import { RdbDecoder } from '../rdb/decoder.js';
import { RdbSink } from '../rdb/handler.js';
import { isDragonflySummary, openDragonflySet, snapshotBaseOf } from './dragonfly-set.js';
import type { LiveAccess, LiveOrigin } from './live/source.js';
import { type PlainBytes, seekable, type UnpackOptions, unpacked } from './open-bytes.js';
import { DamageError, findingOf, namingFile } from './report.js';
import { type FileForm, sniff } from './sniff.js';

export interface OpenOptions {
  /** Which dataset of a directory is meant, where it holds both; null: the AOF. */
  readonly prefer: 'rdb' | 'aof' | null;
  /** What `-` reads; null: there is no such thing. */
  readonly stdin: AsyncIterable<Uint8Array> | null;
  /** Ends the wait for the first bytes of a pipe. */
  readonly signal: AbortSignal | null;
  /** Where pipes and archives that must be read more than once are kept meanwhile. Default: the system's place. */
  readonly temporaryDirectory?: string;
  /** True when the caller notices commands behind an RDB by itself: nothing is read ahead to find out. */
  readonly readsOn?: boolean;
  /** True when the caller goes back in what it reads: a pipe is then kept in a temporary file first. */
  readonly again?: boolean;
  /** Is told how many bytes of a pipe or a packed file have been kept, where all of it is kept before it is read. */
  readonly receiving?: (label: string, bytes: number) => void;
  /** True: the files of a log are held open until they are read, as a server may rewrite it meanwhile. */
  readonly hold?: boolean;
  /** How live servers are reached; missing: as their address alone says. */
  readonly live?: LiveAccess;
  /** How S3 is reached; missing: as the environment of the AWS SDK says. */
  readonly s3?: S3Access;
}

interface Common {
  /** As it was asked for; of a live server without user and password. */
  readonly path: string;
  /** Which dataset was taken from a directory that holds several, in a sentence; '' when there was no choice. */
  readonly choice: string;
  /** Whether `path` is a directory. */
  readonly isDirectory: boolean;
  /** How the file was packed, outermost first; offsets count plain bytes. Missing when it was not. */
  readonly packings?: readonly Packing[];
  /** How it was read, when it is a live server. */
  readonly live?: LiveOrigin;
  /** What was left out of an archive, in sentences. */
  readonly leftOut?: readonly string[];
}

/** One dataset in files. */
export type Source =
  | (Common & { readonly kind: 'rdb'; readonly bytes: ByteSource })
  | (Common & { readonly kind: 'aof'; readonly set: AofSet });

/** One dataset, in files of a server or as NDJSON. */
export type DatasetSource = Source | (Common & { readonly kind: 'ndjson'; readonly bytes: ByteSource });

/**
 * Finds out what stands at `path`: a file is told by its content, a directory by its files, `-` is standard input.
 * Compressed bytes are unpacked as they are read, an archive is a directory (`ARCHIVE:/NAME` names something in it), objects
 * of S3 are files (`s3://…`), and a live server (`redis://…`) gives a fresh RDB. Nothing but first bytes is read, except from
 * an RDB that may end as a log would, and from an archive.
 *
 * @throws InputError when nothing can be read there or it is of no known format; DamageError when it can't be unpacked
 */
export async function openSource(path: string, options: OpenOptions): Promise<Source> {
  const source = await openDataset(path, options);
  if (source.kind !== 'ndjson') return source;
  throw new InputError(
    'input/ndjson',
    path,
    'is a dataset as NDJSON, and a file of a server is needed',
    'write it as one first: rekindle convert FILE.ndjson FILE.rdb --for SERVER',
  );
}

/** The same for commands that take NDJSON, too. @throws InputError, DamageError */
export async function openDataset(path: string, options: OpenOptions): Promise<DatasetSource> {
  if (isServerAddress(path)) return (await import('./live/source.js')).openLive(path, options);
  const { outer, inner } = await archivePath(path);
  if (outer === '-') return openBytes({ path, inner, tree: localTree }, pipeOf(options), options);
  if (isS3Address(outer)) {
    const { openS3 } = await import('../bytes/s3/open.js');
    const place = await openS3(outer, options.s3 ?? { pathStyle: false }, options.signal);
    const { object, tree } = place;
    if (object === null) return { ...(await openDirectory(place.path, options, tree)), path };
    return openBytes({ path, inner, tree }, object, options);
  }
  const stats = await stat(outer).catch((error) => {
    throw inputErrorOf(error, outer);
  });
  if (stats.isDirectory()) return openDirectory(outer, options, localTree);
  return openBytes({ path, inner, tree: localTree }, await FileSource.at(outer), options);
}

/** What was asked for, and where the files are found that it names. */
interface Asked {
  readonly path: string;
  /** What is meant inside an archive; null: whatever it holds. */
  readonly inner: string | null;
  readonly tree: FileTree;
}

/** `ARCHIVE:/NAME` names something inside of an archive, unless a file has just that name. */
async function archivePath(path: string): Promise<{ readonly outer: string; readonly inner: string | null }> {
  const [, outer, inner] = /^(.+?):\/(?!\/)(.*)$/s.exec(path) ?? [];
  if (outer === undefined || inner === undefined) return { outer: path, inner: null };
  const isElsewhere = outer === '-' || isS3Address(outer);
  if (!isElsewhere && (await stat(path).catch(() => null)) !== null) return { outer: path, inner: null };
  return { outer, inner };
}

function pipeOf({ stdin }: OpenOptions): StreamSource {
  if (stdin === null) throw new InputError('input/no-stdin', '-', 'there is no standard input here');
  return new StreamSource(stdin);
}

async function openBytes(asked: Asked, given: ByteSource, options: OpenOptions): Promise<DatasetSource> {
  const unpacking = { temporaryDirectory: tmpdir(), ...options };
  const plain = await unpacked(given, unpacking);
  const { head, packings } = plain;
  if (isTar(head)) return openArchive(asked, plain, unpacking);
  const { path, inner, tree } = asked;
  if (inner !== null) {
    throw new InputError('input/missing', path, 'is no archive that could hold that', 'name the file alone');
  }
  const common = { path, choice: '', isDirectory: false, ...(packings.length > 0 && { packings }) };
  const form = formOf(plain, given.label);
  if (form === 'manifest') {
    if (path === '-') throw manifestOnPipe(given.label);
    return { ...common, kind: 'aof', set: await openAofSet(given.label, treeFor(tree, options)) };
  }
  if (form === 'rdb' && path !== '-' && packings.length === 0 && isDragonflySummary(path)) {
    const set = await openDragonflySet(dirname(given.label), tree, snapshotBaseOf(path));
    return { ...common, kind: 'aof', set: set! };
  }
  if (form === 'ndjson') {
    const again = options.again === true && plain.source.once === true;
    return {
      ...common,
      kind: 'ndjson',
      bytes: again ? await seekable(plain.source, unpacking) : plain.source,
    };
  }
  const seeks = options.again === true || (form === 'rdb' && options.readsOn !== true);
  const bytes = seeks && plain.source.once === true ? await seekable(plain.source, unpacking) : plain.source;
  if (form === 'aof' || form === 'preamble') {
    return { ...common, kind: 'aof', set: await singleFileSet(bytes) };
  }
  if (options.readsOn !== true && !packings.includes('vcs') && (await logFollows(bytes))) {
    return { ...common, kind: 'aof', set: await singleFileSet(bytes) };
  }
  return { ...common, kind: 'rdb', bytes };
}

/** What is inside. Where damage hides the first bytes the name must tell, else the damage is all that can be told. */
function formOf({ head, packings, damage }: PlainBytes, label: string): FileForm {
  if (packings.length === 0) return sniff(head, label);
  try {
    return sniff(head, label.replace(PACKED_NAME, ''));
  } catch (error) {
    throw damage === null ? error : new DamageError(findingOf(damage, label));
  }
}

/** Endings that say how a file is packed, and nothing of what is inside. */
const PACKED_NAME = /\.(gz|zst|zstd|lz4)$/i;

function manifestOnPipe(label: string): InputError {
  return new InputError(
    'input/manifest-on-stdin',
    label,
    'is a manifest, whose files cannot be found from a pipe',
    'give the path of the manifest or of its directory',
  );
}

async function openArchive(
  { path, inner }: Asked,
  plain: PlainBytes,
  options: OpenOptions & UnpackOptions,
): Promise<DatasetSource> {
  const { packings } = plain;
  // A packed file is read through for what is in it; of a pipe there would be nothing left then.
  const streams = plain.source instanceof UnpackedSource && plain.source.once !== true;
  const bytes = streams ? withoutSize(plain.source) : await seekable(plain.source, options);
  const index = await namingFile(bytes.label, () => indexTar(bytes));
  const spool = (member: ByteSource) =>
    spooled(member, { directory: options.temporaryDirectory, signal: options.signal });
  const tree = new TarTree(bytes, index, streams ? spool : null);
  const at = inner === null ? tree.root : tree.pathOf(inner);
  const source = await openMember({ path: at, inner: null, tree }, options).catch((error: unknown) => {
    throw error instanceof InputError && error.code === 'input/no-dataset' ? tree.notIn(at, error) : error;
  });
  const leftOut = index.skipped.map(({ name, why }) => `${name}: ${why}`);
  const all = [...(source.packings ?? []), ...packings];
  return { ...source, path, isDirectory: false, leftOut, ...(all.length > 0 && { packings: all }) };
}

/** The size of a packed source shows once a pass has reached its end, which makes it no easier to go back in. */
function withoutSize(source: ByteSource): ByteSource {
  return { label: source.label, size: null, open: (start) => source.open(start) };
}

async function openMember(asked: Asked, options: OpenOptions): Promise<DatasetSource> {
  const { path, tree } = asked;
  if ((await tree.look(path))?.kind === 'directory') return openDirectory(path, options, tree);
  return openBytes(asked, await tree.open(path), options);
}

/**
 * The same dataset where every part of it is at hand: what is packed in one file is unpacked to a temporary one.
 *
 * @throws InputError when there is no room for it, DamageError when the packed bytes are damaged
 */
export async function atHand(source: Source, signal: AbortSignal | null): Promise<Source> {
  const options = { signal, temporaryDirectory: tmpdir() };
  if (source.kind === 'rdb') return { ...source, bytes: await seekable(source.bytes, options) };
  const [file] = source.set.files;
  if (file?.role !== 'single') return source;
  return { ...source, set: await singleFileSet(await seekable(file.source, options)) };
}

/** The dataset as a log, whatever it is: an RDB is a log of no commands behind its preamble. */
export async function asLog(source: Source): Promise<AofSet> {
  return source.kind === 'aof' ? source.set : singleFileSet(source.bytes, true);
}

async function openDirectory(path: string, options: OpenOptions, tree: FileTree): Promise<Source> {
  const { prefer } = options;
  const rdb = prefer === 'aof' ? null : await findRdb(path, tree);
  const set = prefer === 'rdb' ? null : await findLog(path, treeFor(tree, options));
  if (set !== null) {
    const choice = rdb === null ? '' : `${path}: the AOF is taken, not ${basename(rdb)} (--prefer rdb)`;
    return { path, choice, isDirectory: true, kind: 'aof', set };
  }
  if (rdb !== null) {
    const unpacking = { temporaryDirectory: tmpdir(), ...options };
    const { source: bytes, packings } = await unpacked(await tree.open(rdb), unpacking);
    const common = { path, choice: '', isDirectory: true, ...(packings.length > 0 && { packings }) };
    return { ...common, kind: 'rdb', bytes };
  }
  const snapshot = prefer === 'aof' ? null : await openDragonflySet(path, tree, null);
  if (snapshot !== null) return { path, choice: '', isDirectory: true, kind: 'aof', set: snapshot };
  throw await nothingThere(path, prefer, tree);
}

async function findLog(path: string, tree: FileTree): Promise<AofSet | null> {
  try {
    return await openAofSet(path, tree);
  } catch (error) {
    if (error instanceof InputError && error.code === 'input/no-aof') return null;
    throw error;
  }
}

/** `dump.rdb`, or the only other RDB that is neither the base of a log nor left over from a save. */
async function findRdb(directory: string, tree: FileTree): Promise<string | null> {
  const names = await tree.list(directory);
  const files = names.filter((name) => /\.rdb$/.test(name) && !/^temp-|\.base\.rdb$/.test(name));
  if (files.includes('dump.rdb')) return pathIn(directory, 'dump.rdb');
  if (files.length > 1) {
    const several = files.slice(0, 5).join(', ');
    throw new InputError(
      'input/ambiguous',
      directory,
      `holds several RDBs: ${several}`,
      'name the one you mean',
    );
  }
  return files[0] === undefined ? null : pathIn(directory, files[0]);
}

async function nothingThere(
  directory: string,
  prefer: OpenOptions['prefer'],
  tree: FileTree,
): Promise<InputError> {
  const names = await tree.list(directory);
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
      : `a save that did not finish left ${pathIn(directory, unfinished)}: name it to see how far it reads`,
  );
}

/**
 * True when commands follow the RDB in a file, though it does not say of itself that they do. Such a file ends in a
 * line end, an RDB only by the chance of its checksum: so the walk through it is rarely made.
 */
async function logFollows(source: ByteSource): Promise<boolean> {
  if ((await lastBytes(source, 2)) !== '\r\n') return false;
  const decoder = new RdbDecoder(new RdbSink(), { verifyChecksum: false, deep: false });
  try {
    const window = await pumpSource(source, decoder);
    const next = (await readAt(source, window.offset, 1))[0];
    return next === STAR || next === HASH;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

const STAR = 42;
const HASH = 35;
const CHUNK = 256 * 1024;

/** The last bytes; of a compressed file, which must be unpacked for them, '' when it is damaged. */
async function lastBytes(source: ByteSource, count: number): Promise<string> {
  const { size } = source;
  if (size !== null) return (await readAt(source, Math.max(0, size - count), count)).latin1Slice();
  const reader = await source.open();
  const chunk = Buffer.allocUnsafe(CHUNK);
  let last = '';
  try {
    for (;;) {
      const read = await reader.read(chunk);
      if (read === 0) return last;
      last = (last + chunk.latin1Slice(Math.max(0, read - count), read)).slice(-count);
    }
  } catch (error) {
    if (error instanceof FormatError) return '';
    throw error;
  } finally {
    await reader.close();
  }
}

const treeFor = (tree: FileTree, { hold }: OpenOptions): FileTree =>
  hold === true && tree === localTree ? holdingTree : tree;
