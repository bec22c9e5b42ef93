import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FileTree, holdingTree, localTree, pathIn, statsOf } from '../bytes/file-tree.js';
import type { Long } from '../bytes/int64.js';
import { type ByteSource, readHead } from '../bytes/source.js';
import { FormatError, InputError } from '../errors.js';
import { FINDINGS, type Finding, type FindingCode } from '../model/finding.js';
import { type Manifest, type ManifestEntry, parseManifest } from './manifest.js';

/** What a file is in its set; `single` for one that stands for itself. */
export type AofRole = 'base' | 'incr' | 'history' | 'single';
/** By content: `rdb` may have commands behind it; `unknown` for what is neither, and for a pipe not yet read. */
export type AofFormat = 'rdb' | 'resp' | 'empty' | 'unknown';

export interface AofFileEntry {
  /** Base name. */
  readonly name: string;
  readonly path: string;
  readonly role: AofRole;
  /** 0 for a single file. */
  readonly seq: Long;
  /** Bytes; null for a pipe. */
  readonly size: number | null;
  readonly format: AofFormat;
  readonly source: ByteSource;
  /** True of what is known not to be a log of commands alone: an RDB must stand at its start. */
  readonly opensWithRdb?: boolean;
}

/** A file in the directory that the manifest does not name. */
export interface StrayFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** By its name: `temporary` is what a rewrite or a manifest update left when it died. */
  readonly kind: 'base' | 'incr' | 'temporary' | 'other';
}

/** The files a dataset is told in. */
export interface AofSet {
  readonly directory: string;
  readonly manifestPath: string | null;
  readonly manifest: Manifest | null;
  /** In load order: the base, then the increments. */
  readonly files: readonly AofFileEntry[];
  /** Named by the manifest as history and still there; never loaded. */
  readonly history: readonly AofFileEntry[];
  /** Named by the manifest, to be loaded, and not there. */
  readonly missing: readonly ManifestEntry[];
  readonly strays: readonly StrayFile[];
  /** manifest/…, set/…; a server refuses the set, or starts empty, when one of them is an error. */
  readonly findings: readonly Finding[];
  /** Where its files are found; missing for the file system. */
  readonly tree?: FileTree;
}

/** A manifest is a few lines; more than this is something else. */
const MANIFEST_MAX = 16 * 1024 * 1024;
const DEFAULT_DIRECTORY = 'appendonlydir';
const DEFAULT_NAME = 'appendonly.aof';

/**
 * Finds the files of an append-only log: `path` is an AOF directory, a data directory with one or with a legacy
 * `appendonly.aof`, a manifest, or one AOF file, in `tree`. Nothing of a log is read but its first bytes.
 *
 * @throws InputError when there is no log, UsageError when there are several and the path must be more precise
 */
export async function openAofSet(path: string, tree: FileTree = localTree): Promise<AofSet> {
  const seen = await tree.look(path);
  if (seen?.kind !== 'directory') return openFile(path, tree);
  const found = await findInDirectory(path, tree);
  if (found === null) {
    const hint = `expected a manifest, a directory ${DEFAULT_DIRECTORY} or a file ${DEFAULT_NAME} in it`;
    throw new InputError('input/no-aof', path, 'holds no append-only file', hint);
  }
  return found;
}

/** One file, in memory, compressed or piped, as a set of its own; `opensWithRdb` as in its entry. */
export async function singleFileSet(source: ByteSource, opensWithRdb = false): Promise<AofSet> {
  const found = await entryOf(source, source.label, 'single', 0);
  const entry = opensWithRdb ? { ...found, opensWithRdb } : found;
  return {
    directory: dirname(source.label),
    manifestPath: null,
    manifest: null,
    files: [entry],
    history: [],
    missing: [],
    strays: [],
    findings: [],
  };
}

/** @throws FormatError for the first finding with which no server would load the set */
export function assertLoadable(set: AofSet): void {
  for (const { code, where, detail } of set.findings) {
    if (FINDINGS[code] === 'error') throw new FormatError(code, where.offset, detail).inFile(where.file);
  }
}

async function openFile(path: string, tree: FileTree): Promise<AofSet> {
  const source = await tree.open(path);
  const head = await readHead(source, 64 * 1024);
  return isManifest(head, path) ? openManifest(path, tree) : singleFileSet(source);
}

/** By its first line that is no comment; by its name only when the content is of no known kind. */
function isManifest(head: Buffer, path: string): boolean {
  const text = head.latin1Slice();
  const line = /^(?:#[^\n]*\n)*([^#][\s\S]{0,8})/.exec(text)?.[1] ?? '';
  if (line.startsWith('file')) return true;
  const isKnown = /^(\*\d|#TS:|REDIS|VALKEY)/.test(text);
  return !isKnown && path.endsWith('.manifest');
}

async function findInDirectory(directory: string, tree: FileTree): Promise<AofSet | null> {
  const names = await tree.list(directory);
  const manifest = choose(names.filter(isManifestName), `${DEFAULT_NAME}.manifest`, directory);
  if (manifest !== null) return openManifest(pathIn(directory, manifest), tree);

  const inside = await directoriesWithLogs(directory, names, tree);
  const chosen = choose([...inside.keys()], DEFAULT_DIRECTORY, directory);
  if (chosen !== null && inside.get(chosen)!.some(isManifestName))
    return findInDirectory(pathIn(directory, chosen), tree);
  // A server upgrades a legacy file when the directory has no manifest, whatever else is in it.
  const legacy = choose(names.filter(isLegacyName), DEFAULT_NAME, directory);
  if (legacy !== null) return singleFileSet(await tree.open(pathIn(directory, legacy)));
  if (names.some(isLogName)) return withoutManifest(directory, names, tree);
  return chosen === null ? null : findInDirectory(pathIn(directory, chosen), tree);
}

const isManifestName = (name: string): boolean => name.endsWith('.manifest') && !name.startsWith('temp-');
const isLogName = (name: string): boolean => LOG_NAME.test(name) && !name.startsWith('temp-');
const isLegacyName = (name: string): boolean =>
  /\.aof$/.test(name) && !/^temp-|\.(base|incr)\.aof$/.test(name);
const LOG_NAME = /\.(\d+)\.(base\.(?:rdb|aof)|incr\.aof)$/;

async function directoriesWithLogs(
  directory: string,
  names: readonly string[],
  tree: FileTree,
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const inside = await tree.list(pathIn(directory, name)).catch(() => []);
    if (inside.some((each) => isManifestName(each) || isLogName(each))) found.set(name, inside);
  }
  return found;
}

/** The usual name, or the only one; null when there is none. */
function choose(names: readonly string[], usual: string, directory: string): string | null {
  if (names.length <= 1) return names[0] ?? null;
  if (names.includes(usual)) return usual;
  throw new InputError(
    'input/ambiguous',
    directory,
    `holds several logs: ${names.slice(0, 5).join(', ')}`,
    'name the one you mean',
  );
}

/** Attempts at a set whose server rewrites it meanwhile, and the wait between them. */
const OPENINGS_MAX = 20;
const OPEN_AGAIN_MS = 10;

/**
 * A server replaces the manifest first and removes what it no longer names then, so what is missing is looked for again
 * as long as the manifest is another one each time. New files come before the manifest that names them.
 */
async function openManifest(path: string, tree: FileTree): Promise<AofSet> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await openManifestOnce(path, tree).catch((error) => error as unknown);
    if (attempt < OPENINGS_MAX && (await isRewritten(path, tree, outcome))) {
      await sleep(OPEN_AGAIN_MS);
      continue;
    }
    if (outcome instanceof Error) throw outcome;
    return (outcome as Opened).set;
  }
}

interface Opened {
  readonly set: AofSet;
  /** The manifest as it was read. */
  readonly text: Buffer;
}

async function isRewritten(path: string, tree: FileTree, outcome: unknown): Promise<boolean> {
  if (tree !== localTree && tree !== holdingTree) return false;
  if (outcome instanceof InputError) return outcome.code === 'input/changed';
  if (outcome instanceof Error) return false;
  const { set, text } = outcome as Opened;
  const inTheWay = set.strays.filter(({ kind }) => kind !== 'other');
  if (set.missing.length === 0 && inTheWay.length === 0) return false;
  const now = await tree.open(path).then((source) => readHead(source, source.size));
  if (!now.equals(text)) return true;
  for (const stray of inTheWay) if (await isFresh(stray.path)) return true;
  return false;
}

/** Whether a file has changed so lately that whoever writes it may be about to name it, or to take it away. */
async function isFresh(path: string): Promise<boolean> {
  const stats = await statsOf(path);
  return stats === null || Math.abs(Date.now() - stats.mtimeMs) < 20 * OPEN_AGAIN_MS;
}

async function openManifestOnce(path: string, tree: FileTree): Promise<Opened> {
  const source = await tree.open(path);
  if (source.size > MANIFEST_MAX) {
    throw new InputError(
      'input/not-a-manifest',
      path,
      `is ${source.size} bytes long, too large for a manifest`,
    );
  }
  const text = await readHead(source, source.size);
  const manifest = parseManifest(text);
  const directory = dirname(path);
  const findings: Finding[] = manifest.problems.map(({ code, offset, line, message, text }) =>
    findingOf(code, path, offset, { line, message, text: text.slice(0, 200) }),
  );
  const builder = new SetBuilder(directory, tree);
  const { base, increments, history } = manifest;
  if (base !== null) await builder.add(base, 'base', increments.length === 0);
  for (const entry of increments) await builder.add(entry, 'incr', false);
  for (const entry of history) await builder.add(entry, 'history', false);
  for (const { line, offset, name } of builder.missing) {
    findings.push(
      findingOf('set/missing-file', pathIn(directory, name), -1, { name, line, manifestOffset: offset }),
    );
  }
  const named = new Set([basename(path), ...[...increments, ...history].map((entry) => entry.name)]);
  if (base !== null) named.add(base.name);
  const strays = await straysOf(directory, named, tree);
  for (const { path: file, kind, size } of strays) {
    findings.push(findingOf('set/stray-file', file, -1, { kind, size }));
  }
  const set = { directory, manifestPath: path, manifest, ...builder.lists(), strays, findings, tree };
  return { set, text };
}

/**
 * Log files that no manifest names. Their order is told by their names: the newest base, then the increments that can
 * follow it (a rewrite raises both numbers, so none below the base's does). A server would not load them at all.
 */
async function withoutManifest(directory: string, names: readonly string[], tree: FileTree): Promise<AofSet> {
  const logs = names.filter(isLogName).map((name) => {
    const match = LOG_NAME.exec(name)!;
    return { name, seq: Number(match[1]), isBase: match[2]!.startsWith('base') };
  });
  const base = logs.filter((log) => log.isBase).sort((a, b) => b.seq - a.seq)[0];
  const increments = logs
    .filter((log) => !log.isBase && log.seq >= (base?.seq ?? 0))
    .sort((a, b) => a.seq - b.seq);
  const findings = [findingOf('set/no-manifest', directory, -1, { files: logs.length })];
  const builder = new SetBuilder(directory, tree);
  const entry = { startOffset: null, endOffset: null, line: 0, offset: -1 };
  if (base !== undefined) await builder.add({ ...base, ...entry, type: 'b' }, 'base', false);
  for (const log of increments) await builder.add({ ...log, ...entry, type: 'i' }, 'incr', false);
  const taken = new Set([base, ...increments].map((log) => log?.name ?? ''));
  const strays = await straysOf(directory, taken, tree);
  for (const { path, kind, size } of strays)
    findings.push(findingOf('set/stray-file', path, -1, { kind, size }));
  return { directory, manifestPath: null, manifest: null, ...builder.lists(), strays, findings, tree };
}

class SetBuilder {
  readonly missing: ManifestEntry[] = [];
  private readonly files: AofFileEntry[] = [];
  private readonly history: AofFileEntry[] = [];

  constructor(
    private readonly directory: string,
    private readonly tree: FileTree,
  ) {}

  /** `upgrading`: a base alone in its manifest may still be where a server before 7.0 had it. */
  async add(entry: ManifestEntry, role: AofRole, upgrading: boolean): Promise<void> {
    const name = Buffer.from(entry.name, 'latin1').toString('utf8');
    const places = [pathIn(this.directory, name)];
    if (upgrading) places.push(pathIn(this.tree.parent(this.directory), name));
    for (const path of places) {
      try {
        const source = await this.tree.open(path);
        const file = await entryOf(source, path, role, entry.seq);
        (role === 'history' ? this.history : this.files).push(file);
        return;
      } catch (error) {
        if (!(error instanceof InputError) || error.code !== 'input/missing') throw error;
      }
    }
    if (role !== 'history') this.missing.push(entry);
  }

  lists(): Pick<AofSet, 'files' | 'history' | 'missing'> {
    return { files: this.files, history: this.history, missing: this.missing };
  }
}

async function entryOf(source: ByteSource, path: string, role: AofRole, seq: Long): Promise<AofFileEntry> {
  const { size } = source;
  const common = { name: basename(path), path, role, seq, size, source };
  // A pipe may know its size by now, if it is so short that looking at its start has met its end.
  if (size === null || source.once === true) return { ...common, format: 'unknown' };
  return { ...common, format: size === 0 ? 'empty' : formatOf(await readHead(source, 8)) };
}

function formatOf(head: Buffer): AofFormat {
  const text = head.latin1Slice();
  if (text.startsWith('REDIS') || text.startsWith('VALKEY')) return 'rdb';
  return text.startsWith('*') || text.startsWith('#') ? 'resp' : 'unknown';
}

async function straysOf(directory: string, named: ReadonlySet<string>, tree: FileTree): Promise<StrayFile[]> {
  const strays: StrayFile[] = [];
  const text = (name: string) => Buffer.from(name, 'latin1').toString('utf8');
  const known = new Set([...named].flatMap((name) => [name, text(name)]));
  for (const name of await tree.list(directory)) {
    const path = pathIn(directory, name);
    const seen = known.has(name) ? null : await tree.look(path);
    if (seen?.kind !== 'file') continue;
    strays.push({ name, path, size: seen.size, kind: kindOf(name) });
  }
  return strays;
}

function kindOf(name: string): StrayFile['kind'] {
  if (name.startsWith('temp-')) return 'temporary';
  const match = LOG_NAME.exec(name);
  if (match === null) return 'other';
  return match[2]!.startsWith('base') ? 'base' : 'incr';
}

function findingOf(code: FindingCode, file: string, offset: number, detail: Finding['detail']): Finding {
  return { code, where: { file, offset, trail: [] }, detail };
}
