import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readTarGz } from './tar.js';
import { temporaryDirectory } from './temporary.js';
import { testdata } from './testdata.js';

export { testdata } from './testdata.js';

/** 2026-03-01 12:00:00 UTC in seconds: where the servers' clock stood when the truth was read. Nothing has expired. */
export const CORPUS_NOW = 1772366400;

/** One key as the server that loaded the file described it; names and values in base64. */
export interface KeyTruth {
  readonly db: number;
  readonly key: string;
  readonly type: string;
  readonly pexpiretime: number | null;
  readonly encoding: string;
  /** Null on servers without DEBUG DIGEST-VALUE (up to 4.0). */
  readonly digest_value: string | null;
  /** By type: text, elements, [member, score text], [field, value, field TTL], {entries, xinfo_full}; absent when unread. */
  readonly value?: unknown;
}

interface DatasetTruth {
  readonly server: string;
  readonly server_version: string;
  readonly digest: string;
  /** Keys by database number. */
  readonly dbsize: Readonly<Record<string, number>>;
  readonly functions?: readonly { readonly library_name: string; readonly code: string }[];
  readonly keys: readonly KeyTruth[];
}

export interface RdbTruth extends DatasetTruth {
  readonly magic: string;
  readonly rdb_version: number;
}

/** The log cut at `offset` of `file` and loaded by the server. */
export interface Checkpoint {
  readonly file: string;
  readonly offset: number;
  readonly records_before: number;
  readonly timestamp: number | null;
  readonly inside_multi: boolean;
  readonly digest: string;
  readonly dbsize: Readonly<Record<string, number>>;
}

/** What `redis-check-aof --truncate-to-timestamp` left, loaded by the server; no digest when it refused. */
export interface TimestampCut {
  readonly timestamp: number;
  readonly exit_code: number;
  readonly output: string;
  /** What stood in the directory afterwards, by base name. */
  readonly files_after?: Readonly<Record<string, { readonly size: number }>>;
  readonly digest?: string;
}

export interface AofTruth extends DatasetTruth {
  readonly last_file: {
    readonly name: string;
    readonly commands: number;
    readonly timestamps: number;
    readonly by_command: Readonly<Record<string, number>>;
  };
  readonly checkpoints?: readonly Checkpoint[];
  readonly truncate_to_timestamp?: readonly TimestampCut[];
}

/** One start of the server on a damaged input. */
export interface LoadTruth {
  readonly started: boolean;
  readonly exit_code: number | null;
  readonly crashed?: boolean;
  readonly log: readonly string[];
  /** Absent when the server died of being asked. */
  readonly digest?: string;
  readonly dbsize?: Readonly<Record<string, number>>;
  /** How the server ended while its dataset was read: a negative signal. */
  readonly died_after_load?: number;
}

/** One run of the official checker. */
export interface CheckTruth {
  readonly argv: readonly string[];
  readonly exit_code: number;
  readonly output: string;
}

export interface CorruptTruth {
  readonly case: string;
  readonly kind: 'rdb' | 'aof' | 'manifest';
  /** What was done to the file. */
  readonly what: string;
  /** By path in the data directory. */
  readonly files: Readonly<Record<string, { readonly size: number }>>;
  readonly load: LoadTruth;
  /** With `aof-load-truncated no`. */
  readonly load_truncated_no?: LoadTruth;
  /** With `sanitize-dump-payload yes`. */
  readonly load_sanitize_yes?: LoadTruth;
  readonly load_after_fix?: LoadTruth;
  readonly check: CheckTruth;
  readonly fix?: CheckTruth;
}

/** A file or data directory together with what a real server made of it. */
export interface CorpusCase<T> {
  readonly server: string;
  readonly name: string;
  /** `redis-7.0.15/types`: how test names call it. */
  readonly title: string;
  /** Absolute path of the unpacked file, or of the directory that holds `appendonlydir`. Never write there. */
  readonly path: string;
  readonly truth: T;
}

/** Every server with intact files, oldest release first. */
export const CORPUS_SERVERS = serversIn('corpus');

/** The same, under the name they have where the files are meant rather than what is made of them. */
export const ARCHIVED_SERVERS = CORPUS_SERVERS;

/** Servers with damaged files, oldest release first. */
export const CORRUPT_SERVERS = serversIn('corrupt');

/** The RDB files of a server. */
export function rdbCases(server: string): CorpusCase<RdbTruth>[] {
  return archive('corpus', server).cases<RdbTruth>((path) => path.endsWith('.rdb'));
}

/** The AOFs of a server: single files before 7.0, data directories since. */
export function aofCases(server: string): CorpusCase<AofTruth>[] {
  return archive('corpus', server).cases<AofTruth>((path) => !path.endsWith('.rdb'));
}

/** The damaged files and directories of a server. */
export function corruptCases(server: string): CorpusCase<CorruptTruth>[] {
  return archive('corrupt', server).cases<CorruptTruth>(() => true);
}

/** The bytes of one packed file, for example `('redis-7.0.15', 'small.rdb')`. Shared: copy before changing. */
export function corpusBytes(server: string, path: string): Buffer {
  const bytes = archive('corpus', server).files.get(path);
  if (bytes === undefined) throw new Error(`no ${path} among the files of ${server}`);
  return bytes;
}

/** The unpacked path of one packed file or directory, for example `('redis-7.0.15', 'workload')`. Never write there. */
export function corpusPath(server: string, path: string): string {
  return archive('corpus', server).place(path);
}

const archives = new Map<string, Archive>();

function archive(room: 'corpus' | 'corrupt', server: string): Archive {
  const path = testdata(room, `${server}.tar.gz`);
  let found = archives.get(path);
  if (found === undefined) archives.set(path, (found = new Archive(server, readTarGz(readFileSync(path)))));
  return found;
}

const TRUTH = '.truth.json';

class Archive {
  private directory: string | undefined;
  private readonly placed = new Set<string>();

  constructor(
    private readonly server: string,
    readonly files: ReadonlyMap<string, Buffer>,
  ) {}

  cases<T>(wanted: (path: string) => boolean): CorpusCase<T>[] {
    const found: CorpusCase<T>[] = [];
    for (const [path, bytes] of this.files) {
      if (!path.endsWith(TRUTH)) continue;
      const name = path.slice(0, -TRUTH.length);
      const input = [`${name}.rdb`, `${name}.aof`].find((file) => this.files.has(file)) ?? name;
      if (wanted(input)) found.push(new PackedCase<T>(this.server, name, () => this.place(input), bytes));
    }
    return found;
  }

  /** Where a file or directory stands on disk; written there when first asked for. `.`: all that was packed. */
  place(wanted: string): string {
    this.directory ??= temporaryDirectory(this.server);
    const path = join(this.directory, wanted);
    if (this.placed.has(path)) return path;
    this.placed.add(path);
    for (const [name, bytes] of this.files) {
      const isWanted = wanted === '.' || wanted === '' || name === wanted || name.startsWith(`${wanted}/`);
      const at = join(this.directory, name);
      if (!isWanted || name.endsWith(TRUTH) || (at !== path && this.placed.has(at))) continue;
      this.placed.add(at);
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(at, bytes);
    }
    return path;
  }
}

class PackedCase<T> implements CorpusCase<T> {
  private parsed: T | undefined;

  constructor(
    readonly server: string,
    readonly name: string,
    private readonly place: () => string,
    private readonly json: Buffer,
  ) {}

  get path(): string {
    return this.place();
  }

  get title(): string {
    return `${this.server}/${this.name}`;
  }

  get truth(): T {
    return (this.parsed ??= JSON.parse(this.json.toString('utf8')) as T);
  }
}

function serversIn(room: string): string[] {
  const names = readdirSync(testdata(room)).flatMap((name) => /^(.+)\.tar\.gz$/.exec(name)?.[1] ?? []);
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
