import type { Dirent, Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Manifest, parseManifest } from '../../aof/manifest.js';
import { statsOf } from '../../bytes/file-tree.js';
import { FileSource, inputErrorOf, readHead } from '../../bytes/source.js';
import { readdir } from '../../bytes/system.js';
import { InputError } from '../../errors.js';
import type { ServerConfig } from '../../model/server-config.js';
import { isInside } from './place.js';

/** What a file is for the server, by its name and by the manifest. */
export type CandidateKind =
  | 'manifest'
  | 'base'
  | 'increment'
  /** Named by the manifest as history: an older generation. */
  | 'history'
  /** A base or an increment that no manifest names. */
  | 'stray-base'
  | 'stray-increment'
  /** The log of servers before 7.0, beside the append-only directory. */
  | 'single-log'
  /** `dump.rdb`, or what dbfilename says. */
  | 'rdb'
  /** What a rewrite, a save, a manifest update or a switch to appendonly left when the server died. */
  | 'temporary-rewrite'
  | 'temporary-save'
  | 'temporary-manifest'
  | 'temporary-increment'
  /** Any other RDB or log: a backup, a copy, a file moved aside. */
  | 'copy'
  /** A file that must be unpacked before anything can be said of it. */
  | 'packed';

export type CandidateForm = 'rdb' | 'aof' | 'manifest' | 'empty' | 'packed' | 'unknown';

/** Why a file was not read. */
export type Unread = 'leads-outside' | 'not-a-file' | 'no-permission' | 'broken-link' | 'unreadable';

/** A file that may hold data. */
export interface FoundFile {
  /** Path below the directory, with `/`. */
  readonly name: string;
  readonly path: string;
  readonly kind: CandidateKind;
  readonly form: CandidateForm;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** From the manifest or the name; 0 where there is none. */
  readonly seq: number;
  readonly unread: Unread | null;
  /** Null when unread. */
  readonly source: FileSource | null;
}

/** An append-only directory. */
export interface LogRoom {
  /** Below the directory; '' when the directory is an append-only directory itself. */
  readonly name: string;
  readonly path: string;
  readonly manifestName: string;
  /** Null: it has none, or it could not be read. */
  readonly manifest: Manifest | null;
  readonly manifestFile: FoundFile | null;
}

export interface DirectorySurvey {
  readonly path: string;
  readonly files: readonly FoundFile[];
  readonly rooms: readonly LogRoom[];
  /** Path of a redis.conf in it. */
  readonly configPath: string | null;
  /** Whether the append-only directory of the configuration exists, with or without anything in it. */
  readonly logDirectoryExists: boolean;
  /** Files of other names that were not looked into. */
  readonly passedOver: number;
  /** When anything in it was last written, in milliseconds since the epoch; null for an empty directory. */
  readonly lastWrittenMs: number | null;
}

/** Files of unknown names that are looked into for a magic. */
const SNIFFED_MAX = 200;
/** Directories that are looked into for a log. */
const ROOMS_MAX = 50;
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;

/** Finds the path of a redis.conf in a directory, null without one. */
export async function findConfig(directory: string): Promise<string | null> {
  const names = await list(directory);
  for (const name of ['redis.conf', 'valkey.conf', 'keydb.conf']) {
    const path = join(directory, name);
    const isThere = names.some((entry) => entry.name === name) && (await isInside(path, directory));
    if (isThere && (await FileSource.at(path).catch(() => null)) !== null) return path;
  }
  return null;
}

/**
 * Lists everything in a directory that may hold data. Nothing is followed out of it, nothing but regular files is
 * opened, and nothing but first bytes is read.
 *
 * @throws InputError when the directory cannot be listed
 */
export async function surveyDirectory(path: string, config: ServerConfig): Promise<DirectorySurvey> {
  for (let attempt = 1; ; attempt++) {
    const survey = await surveyOnce(path, config);
    if (attempt === SURVEYS_MAX || !(await isRewritten(survey))) return survey;
    await sleep(SURVEY_AGAIN_MS);
  }
}

/** Attempts at a directory whose server rewrites its log meanwhile, and the wait between them. */
const SURVEYS_MAX = 20;
const SURVEY_AGAIN_MS = 10;

/**
 * Whether a manifest is another by now. Then what was found may be of two moments: a server takes away what its new
 * manifest no longer names, and a temporary file may belong to the rewrite before. As long as it is the same, all that
 * it names is there, and nothing else is in use.
 */
async function isRewritten({ rooms }: DirectorySurvey): Promise<boolean> {
  for (const { manifest, manifestFile } of rooms) {
    if (manifest === null || manifestFile === null || manifestFile.source === null) continue;
    try {
      const now = await FileSource.at(manifestFile.path);
      if (now.size !== manifestFile.bytes) return true;
      const [before, after] = await Promise.all([
        readHead(manifestFile.source, manifestFile.bytes),
        readHead(now, now.size),
      ]);
      if (!before.equals(after)) return true;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (error.code === 'input/changed') return true;
    }
  }
  return false;
}

async function surveyOnce(path: string, config: ServerConfig): Promise<DirectorySurvey> {
  const survey = new Survey(path, config);
  // What its manifest says first: while it says so, what stands in the data directory belongs to it.
  const rooms = await survey.logRooms(await list(path));
  const inRooms = survey.files.splice(0);
  const entries = await list(path);
  await survey.dataRoom(entries);
  const { passedOver, lastWrittenMs } = survey;
  const files = [...survey.files, ...inRooms];
  const logDirectoryExists = entries.some((entry) => entry.name === config.appendDirname && !entry.isFile());
  const configPath = await findConfig(path);
  return { path, files, rooms, configPath, logDirectoryExists, passedOver, lastWrittenMs };
}

async function list(path: string): Promise<Dirent[]> {
  try {
    return (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') {
      const hint = 'recover weighs a whole directory; `rekindle check` and `rekindle repair` take one file';
      throw new InputError('input/not-a-directory', path, 'is not a directory', hint);
    }
    throw inputErrorOf(error, path);
  }
}

const LOG_NAME = /\.(\d{1,15})\.(base\.(?:rdb|aof)|incr\.aof)$/;
const isManifestName = (name: string): boolean => name.endsWith('.manifest') && !name.startsWith('temp-');
const isLogName = (name: string): boolean => LOG_NAME.test(name) && !name.startsWith('temp-');
const isBackupName = (name: string): boolean => /\.(bak|old|orig|save|backup)\b|~$/i.test(name);

interface Sighting {
  readonly name: string;
  readonly kind: CandidateKind;
  readonly seq: number;
}

class Survey {
  readonly files: FoundFile[] = [];
  passedOver = 0;
  lastWrittenMs: number | null = null;
  private sniffed = 0;

  constructor(
    private readonly path: string,
    private readonly config: ServerConfig,
  ) {}

  /** The working directory of the server. */
  async dataRoom(entries: readonly Dirent[]): Promise<void> {
    for (const entry of entries) {
      const { name } = entry;
      if (entry.isDirectory() || isManifestName(name) || isLogName(name)) continue;
      const kind = this.kindOf(name);
      if (kind !== null) await this.take(this.path, '', { name, kind, seq: 0 });
      else if (entry.isFile()) await this.sniffOther(name);
    }
  }

  private kindOf(name: string): CandidateKind | null {
    if (name === this.config.dbFilename) return 'rdb';
    if (name === this.config.appendFilename) return 'single-log';
    if (/^temp-rewriteaof-.*\.aof$/.test(name)) return 'temporary-rewrite';
    if (/^temp-.*\.rdb$/.test(name)) return 'temporary-save';
    if (/^temp-.*\.manifest$/.test(name)) return 'temporary-manifest';
    if (/^temp-.*\.incr$/.test(name)) return 'temporary-increment';
    return /\.(rdb|aof)(\.|$)/i.test(name) || isBackupName(name) ? 'copy' : null;
  }

  /** A file whose name says nothing is data when its first bytes do. */
  private async sniffOther(name: string): Promise<void> {
    if (this.sniffed++ >= SNIFFED_MAX) {
      this.passedOver++;
      return;
    }
    const path = join(this.path, name);
    const source = await FileSource.at(path).catch(() => null);
    if (source === null) return;
    const form = await formOf(source);
    if (form === 'rdb' || form === 'aof') await this.take(this.path, '', { name, kind: 'copy', seq: 0 });
  }

  /** The append-only directories: the configured one, and any other that looks like one. */
  async logRooms(entries: readonly Dirent[]): Promise<LogRoom[]> {
    const rooms: LogRoom[] = [];
    if (entries.some((entry) => isManifestName(entry.name) || isLogName(entry.name))) {
      rooms.push(await this.logRoom('', entries));
    }
    const first = (a: Dirent) => (a.name === this.config.appendDirname ? 0 : 1);
    const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
    for (const entry of folders.sort((a, b) => first(a) - first(b)).slice(0, ROOMS_MAX)) {
      const path = join(this.path, entry.name);
      const isFolder = (await statsOf(path))?.isDirectory() === true;
      if (!isFolder || !(await isInside(path, this.path))) continue;
      // Of a directory that is nobody's business here (lost+found) the server knows nothing either.
      const inside = await list(path).catch((error: InputError) => {
        if (entry.name !== this.config.appendDirname && error.code === 'input/permission') return [];
        throw error;
      });
      if (!inside.some(({ name }) => isManifestName(name) || isLogName(name) || /^temp-.*\.incr$/.test(name)))
        continue;
      rooms.push(await this.logRoom(entry.name, inside));
    }
    return rooms;
  }

  private async logRoom(name: string, entries: readonly Dirent[]): Promise<LogRoom> {
    const path = join(this.path, name);
    const manifests = entries.filter((entry) => isManifestName(entry.name)).map((entry) => entry.name);
    const usual = `${this.config.appendFilename}.manifest`;
    const manifestName = manifests.includes(usual) ? usual : (manifests[0] ?? usual);
    const manifestFile = manifests.includes(manifestName)
      ? await this.take(path, name, { name: manifestName, kind: 'manifest', seq: 0 })
      : null;
    const manifest = await manifestOf(manifestFile);
    const named = namesOf(manifest);
    // What a manifest names was there before it, but not yet when the directory was listed to find the manifest.
    for (const entry of manifest === null ? entries : await list(path)) {
      if (entry.isDirectory() || entry.name === manifestName) continue;
      const sighting = named.get(entry.name) ?? this.strayOf(entry.name);
      // In a directory that is data directory and append-only directory in one, the other names were seen already.
      if (sighting !== null && (name !== '' || named.has(entry.name) || isLogName(entry.name))) {
        await this.take(path, name, sighting);
      }
    }
    return { name, path, manifestName, manifest, manifestFile };
  }

  private strayOf(name: string): Sighting | null {
    if (/^temp-.*\.incr$/.test(name)) return { name, kind: 'temporary-increment', seq: 0 };
    if (/^temp-.*\.manifest$/.test(name)) return { name, kind: 'temporary-manifest', seq: 0 };
    const match = LOG_NAME.exec(name);
    if (match !== null && !name.startsWith('temp-')) {
      const kind = match[2]!.startsWith('base') ? 'stray-base' : 'stray-increment';
      return { name, kind, seq: Number(match[1]) };
    }
    const isData = /\.(rdb|aof)(\.|$)/i.test(name) || isBackupName(name) || isManifestName(name);
    return isData ? { name, kind: 'copy', seq: 0 } : null;
  }

  private async take(
    directory: string,
    room: string,
    { name, kind, seq }: Sighting,
  ): Promise<FoundFile | null> {
    const path = join(directory, name);
    const found = await this.look(path);
    if (found === null) return null;
    const { stats, unread, source } = found;
    if (unread === null) this.lastWrittenMs = Math.max(this.lastWrittenMs ?? 0, stats.mtimeMs);
    const file: FoundFile = {
      name: room === '' ? name : `${room}/${name}`,
      path,
      kind,
      form: source === null ? 'unknown' : await formOf(source),
      bytes: source?.size ?? 0,
      modifiedMs: stats.mtimeMs,
      mode: stats.mode & 0o777,
      uid: stats.uid,
      gid: stats.gid,
      seq,
      unread,
      source,
    };
    const packed = file.form === 'packed' ? { ...file, kind: 'packed' as const } : file;
    this.files.push(packed);
    return packed;
  }

  private async look(
    path: string,
  ): Promise<{ stats: Stats; unread: Unread | null; source: FileSource | null } | null> {
    const stats = await statsOf(path, true);
    if (stats === null) return null;
    const unread = (why: Unread) => ({ stats, unread: why, source: null });
    if (stats.isSymbolicLink()) {
      const target = await statsOf(path);
      if (target === null) return unread('broken-link');
      if (!(await isInside(path, this.path))) return unread('leads-outside');
    }
    try {
      const source = await FileSource.held(path);
      return { stats: (await statsOf(path)) ?? stats, unread: null, source };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (error.code === 'input/permission') return unread('no-permission');
      // Gone since it was looked at.
      if (error.code === 'input/missing') return null;
      const isOther = error.code === 'input/not-a-file' || error.code === 'input/directory';
      return unread(isOther ? 'not-a-file' : 'unreadable');
    }
  }
}

async function manifestOf(file: FoundFile | null): Promise<Manifest | null> {
  if (file === null || file.source === null || file.bytes > MANIFEST_BYTES_MAX) return null;
  return parseManifest(await readHead(file.source, file.bytes));
}

/** What the manifest says of each name, as text. */
function namesOf(manifest: Manifest | null): Map<string, Sighting> {
  const named = new Map<string, Sighting>();
  if (manifest === null) return named;
  const { base, increments, history } = manifest;
  const add = (latin1: string, seq: number | bigint, kind: CandidateKind) => {
    const name = Buffer.from(latin1, 'latin1').toString('utf8');
    if (!named.has(name)) named.set(name, { name, kind, seq: Number(seq) });
  };
  if (base !== null) add(base.name, base.seq, 'base');
  for (const entry of increments) add(entry.name, entry.seq, 'increment');
  for (const entry of history) add(entry.name, entry.seq, 'history');
  return named;
}

const PACKED = ['\x1f\x8b', '\x28\xb5\x2f\xfd', '\x04\x22\x4d\x18', '\xfd7zXZ', 'BZh9', 'PK\x03\x04'];

/** By content alone; an unreadable file is unknown. */
async function formOf(source: FileSource): Promise<CandidateForm> {
  if (source.size === 0) return 'empty';
  const head = await readHead(source, 64).catch(() => null);
  if (head === null) return 'unknown';
  const text = head.latin1Slice();
  if (/^(REDIS\d|VALKEY\d)/.test(text)) return 'rdb';
  if (/^\*\d+\r?\n\$\d/.test(text) || text.startsWith('#TS:')) return 'aof';
  if (PACKED.some((magic) => text.startsWith(magic))) return 'packed';
  return /^file[ \t]/i.test(text) && basename(source.label).includes('manifest') ? 'manifest' : 'unknown';
}
