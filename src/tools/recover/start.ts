import type { Finding, FindingCode } from '../../model/finding.js';
import type { ServerConfig } from '../../model/server-config.js';
import { verdictOf } from '../../model/verdict.js';
import type { DirectorySurvey, LogRoom } from './directory.js';
import type { Candidate } from './weigh.js';

/**
 * Why a server does what it does.
 * `log`, `upgraded-log`, `snapshot`: it loads that. `log-cut`: it cuts the last file and loads the rest.
 * `nothing-there`: no RDB, no log. `no-manifest`: files of a log, but no manifest: taken for no log at all.
 * `no-log`: appendonly yes without a log: the RDB is not looked at. `log-empty`: all its files are empty.
 * The others refuse: `manifest-damaged`, `file-missing`, `log-damaged`, `torn-not-last`, `torn-not-allowed`,
 * `base-damaged`, `rdb-damaged`, `too-many-databases`, `not-readable`.
 */
export type StartReason =
  | 'log'
  | 'upgraded-log'
  | 'snapshot'
  | 'log-cut'
  | 'nothing-there'
  | 'no-manifest'
  | 'no-log'
  | 'log-empty'
  | 'manifest-damaged'
  | 'file-missing'
  | 'log-damaged'
  | 'torn-not-last'
  | 'torn-not-allowed'
  | 'base-damaged'
  | 'rdb-damaged'
  | 'too-many-databases'
  | 'not-readable';

/**
 * What starting does to the files. `overwrites-rdb`: the next save, the one of a normal shutdown included, replaces the
 * RDB. `may-overwrite-rdb`: so does a save, but without save points there is none unless somebody asks for it. `appends-to-strays`: new writes go behind old ones of an increment that no manifest names. `replaces-base`: a new
 * base takes the place of an old one. `rewrites-over-strays`: its rewrites empty and replace files that no manifest names. `cuts-log`: the end of the last file is gone. `leaves-open-multi`: the cut is behind
 * a MULTI, and what is written next is lost at the next start. `deletes-history`: files of older generations go.
 * `ignores-log`: a log is there and is not loaded. `moves-log`: the single log moves into the append-only directory.
 */
export type StartEffect =
  | 'overwrites-rdb'
  | 'may-overwrite-rdb'
  | 'appends-to-strays'
  | 'replaces-base'
  | 'rewrites-over-strays'
  | 'cuts-log'
  | 'leaves-open-multi'
  | 'deletes-history'
  | 'ignores-log'
  | 'moves-log';

/** A file as far as a server loads it. */
export interface LoadedPart {
  readonly candidate: Candidate;
  /** Bytes from its start. */
  readonly end: number;
}

/** What Redis from 7.0 on does when it is started on the directory as it is. */
export interface Start {
  readonly appendOnly: boolean;
  readonly outcome: 'loads' | 'loads-part' | 'empty' | 'refuses';
  readonly reason: StartReason;
  /** What it loads, in order. */
  readonly parts: readonly LoadedPart[];
  /** The file that decides, where one does; below the directory. */
  readonly file: string | null;
  readonly offset: number | null;
  readonly effects: readonly StartEffect[];
}

/** Says what a server with this configuration does, and what that does to the files. */
export function foresee(
  survey: DirectorySurvey,
  candidates: readonly Candidate[],
  config: ServerConfig,
): Start {
  const { rooms } = survey;
  // An append-only directory given by itself is what its server would call its own.
  const room = rooms.find(({ name }) => name === config.appendDirname || name === '') ?? null;
  return new Foresight(room, candidates, config).start();
}

class Foresight {
  constructor(
    private readonly room: LogRoom | null,
    private readonly candidates: readonly Candidate[],
    private readonly config: ServerConfig,
  ) {}

  start(): Start {
    return this.config.appendOnly ? this.withLog() : this.withSnapshot();
  }

  private answer(
    outcome: Start['outcome'],
    reason: StartReason,
    rest: Partial<Pick<Start, 'parts' | 'file' | 'offset' | 'effects'>> = {},
  ): Start {
    const { appendOnly } = this.config;
    return { appendOnly, outcome, reason, parts: [], file: null, offset: null, effects: [], ...rest };
  }

  private withSnapshot(): Start {
    const rdb = this.candidates.find(({ kind, name }) => kind === 'rdb' && name === this.config.dbFilename);
    const hasLog = this.candidates.some(({ kind, bytes }) => LOG_KINDS.has(kind) && bytes > 0);
    const effects: StartEffect[] = hasLog ? ['ignores-log'] : [];
    if (rdb === undefined) return this.answer('empty', 'nothing-there', { effects });
    const file = rdb.name;
    if (rdb.unread !== null) return this.answer('refuses', 'not-readable', { file });
    const checksumOnly = rdb.damage?.code === 'rdb/checksum-mismatch' && !this.config.rdbChecksum;
    if (rdb.state !== 'intact' && !checksumOnly) {
      return this.answer('refuses', 'rdb-damaged', { file, offset: rdb.damage?.where.offset ?? 0 });
    }
    if (rdb.lastDatabase >= this.config.databases)
      return this.answer('refuses', 'too-many-databases', { file });
    const parts: LoadedPart[] = [{ candidate: rdb, end: rdb.bytes }];
    return this.answer('loads', 'snapshot', { file, parts, effects });
  }

  private withLog(): Start {
    const { room, config } = this;
    const manifest = room?.manifest ?? null;
    if (room?.manifestFile != null && manifest === null) {
      return this.answer('refuses', 'not-readable', { file: room.manifestFile.name });
    }
    const problem = manifest?.problems[0];
    if (problem !== undefined) {
      return this.answer('refuses', 'manifest-damaged', {
        file: room!.manifestFile!.name,
        offset: problem.offset,
      });
    }
    const single = this.candidates.find(
      ({ kind, name }) => kind === 'single-log' && name === config.appendFilename,
    );
    const isEmptyManifest = manifest === null || (manifest.base === null && manifest.increments.length === 0);
    if (single !== undefined && (isEmptyManifest || this.isHalfUpgraded(single))) {
      return this.load([single], ['moves-log'], 'upgraded-log');
    }
    if (isEmptyManifest) return this.withoutLog();

    const files: Candidate[] = [];
    for (const entry of [...(manifest.base === null ? [] : [manifest.base]), ...manifest.increments]) {
      const name = Buffer.from(entry.name, 'latin1').toString('utf8');
      const path = room!.name === '' ? name : `${room!.name}/${name}`;
      const file = this.candidates.find((each) => each.name === path);
      if (file === undefined) return this.answer('refuses', 'file-missing', { file: path });
      files.push(file);
    }
    const history = manifest.history.length > 0 && !config.aofDisableAutoGc;
    return this.load(files, history ? ['deletes-history'] : [], 'log');
  }

  /** A server before it could move the single log where its manifest says it is. */
  private isHalfUpgraded(single: Candidate): boolean {
    const { base = null, increments = [] } = this.room?.manifest ?? {};
    if (base === null || increments.length > 0 || base.name !== Buffer.from(single.name).latin1Slice())
      return false;
    return !this.candidates.some(({ name }) => name === `${this.room!.name}/${single.name}`);
  }

  private withoutLog(): Start {
    const prefix = this.room === null || this.room.name === '' ? '' : `${this.room.name}/`;
    const strays = this.candidates.filter(({ kind, name }) => STRAYS.has(kind) && name.startsWith(prefix));
    const effects: StartEffect[] = [];
    const { appendFilename } = this.config;
    const first = (ending: string) =>
      strays.some(({ name }) => name === `${prefix}${appendFilename}.1.${ending}`);
    if (first('incr.aof')) effects.push('appends-to-strays');
    if (first('base.rdb') || first('base.aof')) effects.push('replaces-base');
    if (strays.some(({ seq }) => seq > 1)) effects.push('rewrites-over-strays');
    const rdb = this.candidates.find(({ kind }) => kind === 'rdb');
    if (rdb !== undefined)
      effects.push(this.config.savePoints.length > 0 ? 'overwrites-rdb' : 'may-overwrite-rdb');
    if (strays.length > 0) return this.answer('empty', 'no-manifest', { file: strays[0]!.name, effects });
    if (rdb !== undefined) return this.answer('empty', 'no-log', { file: rdb.name, effects });
    return this.answer('empty', 'nothing-there', { effects });
  }

  private load(files: readonly Candidate[], effects: readonly StartEffect[], reason: StartReason): Start {
    const unread = files.find((file) => file.unread !== null);
    if (unread !== undefined) return this.answer('refuses', 'not-readable', { file: unread.name });
    if (files.every((file) => file.bytes === 0)) return this.answer('empty', 'log-empty', { effects });
    const parts: LoadedPart[] = [];
    for (const [i, candidate] of files.entries()) {
      if (candidate.bytes === 0) continue;
      if (candidate.state === 'foreign' || candidate.kind === 'manifest') {
        return this.answer('refuses', 'log-damaged', { file: candidate.name, offset: 0 });
      }
      if (candidate.lastDatabase >= this.config.databases) {
        return this.answer('refuses', 'too-many-databases', { file: candidate.name });
      }
      parts.push({ candidate, end: candidate.validBytes });
      const stop = candidate.findings.find(({ code }) => TORN.has(code) || verdictOf(code) === 'refused');
      if (stop === undefined) parts[parts.length - 1] = { candidate, end: candidate.bytes };
      else if (!this.overlooked(stop.code)) {
        return this.stopAt(candidate, stop, i === files.length - 1, parts, effects);
      }
    }
    return this.answer('loads', reason, { parts, effects });
  }

  /** What becomes of a log at something that no server reads over. */
  private stopAt(
    candidate: Candidate,
    { code, where }: Finding,
    isLast: boolean,
    parts: readonly LoadedPart[],
    effects: readonly StartEffect[],
  ): Start {
    const { config } = this;
    const at = { file: candidate.name, offset: where.offset };
    if (code.startsWith('rdb/')) return this.answer('refuses', 'base-damaged', at);
    const isTorn = TORN.has(code);
    // A server holds an open transaction at the end of any file for a short read, like a torn command.
    if (isTorn && !isLast) return this.answer('refuses', 'torn-not-last', at);
    if (isTorn && !config.aofLoadTruncated) return this.answer('refuses', 'torn-not-allowed', at);
    const broken = candidate.bytes - candidate.validBytes < config.aofLoadCorruptTailMaxSize;
    if (!isTorn && !(isLast && broken && BAD_FRAMING.has(code))) {
      return this.answer('refuses', 'log-damaged', at);
    }
    const insideMulti = code !== 'aof/open-transaction' && candidate.validBytes < where.offset && isTorn;
    const more: StartEffect[] = insideMulti ? ['cuts-log', 'leaves-open-multi'] : ['cuts-log'];
    return this.answer('loads-part', 'log-cut', { ...at, parts, effects: [...effects, ...more] });
  }

  private overlooked(code: string): boolean {
    return code === 'rdb/checksum-mismatch' && !this.config.rdbChecksum;
  }
}

/** The end of a file in the middle of something. */
const TORN: ReadonlySet<FindingCode> = new Set<FindingCode>(['aof/torn-tail', 'aof/open-transaction']);
/** What `aof-load-corrupt-tail-max-size` of Redis 8.4 and later covers. */
const BAD_FRAMING: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'aof/bad-prefix',
  'aof/bad-argument-count',
  'aof/bad-bulk-length',
]);

const LOG_KINDS = new Set<Candidate['kind']>([
  'base',
  'increment',
  'stray-base',
  'stray-increment',
  'single-log',
  'temporary-increment',
]);
const STRAYS = new Set<Candidate['kind']>([
  'stray-base',
  'stray-increment',
  'history',
  'temporary-increment',
]);
