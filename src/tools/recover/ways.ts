import type { Finding } from '../../model/finding.js';
import type { DirectorySurvey, LogRoom } from './directory.js';
import type { Candidate } from './weigh.js';

/**
 * How a state can be put together.
 * `log`: as the manifest says. `log-by-names`: files of a log whose manifest is lost, in the order of their names.
 * `log-from-history`: the generation before the last rewrite, and what was written since. `log-from-new-base`: the base of a
 * rewrite that was not finished, and what was written since. `single-log`: the one file of servers before 7.0.
 * `rdb`: a snapshot alone.
 */
export type WayKind =
  | 'log'
  | 'log-by-names'
  | 'log-from-history'
  | 'log-from-new-base'
  | 'single-log'
  | 'rdb';

/** A file as far as a way takes it. */
export interface Part {
  readonly candidate: Candidate;
  readonly role: 'base' | 'increment';
  /** Bytes taken from its start. */
  readonly end: number;
}

/** When the last write of a state was made. `modified`: not after this; `estimated`: somewhere about. */
export interface Newest {
  readonly ms: number;
  readonly by: 'annotation' | 'saved' | 'modified' | 'estimated';
}

/** A state that can be brought back: it stood in the server like this at some moment. */
export interface Way {
  readonly kind: WayKind;
  /** In load order. */
  readonly parts: readonly Part[];
  /** Files behind the cut, which are left out. */
  readonly leftOut: readonly Candidate[];
  /** What ends it early; null when nothing does. */
  readonly damage: Finding | null;
  /** Named by the manifest, needed, and not there: base names. */
  readonly missing: readonly string[];
  /** True when which files belong together is concluded from names and times rather than told by a manifest. */
  readonly concluded: boolean;
  readonly newest: Newest | null;
  /** Bytes taken, and bytes of its files that are not. */
  readonly bytes: number;
  readonly lostBytes: number;
  /** Commands taken. */
  readonly commands: number;
}

/** Every state that the files of a directory lead to, in no order. Those of which nothing is left are not among them. */
export function waysOf(survey: DirectorySurvey, candidates: readonly Candidate[]): Way[] {
  const ways: Way[] = [];
  const add = (way: Way | null) => {
    if (way !== null && !ways.some((other) => sameParts(other, way))) ways.push(way);
  };
  for (const room of survey.rooms) {
    const log = new LogFiles(room, candidates);
    add(log.byManifest());
    add(log.byNames());
    add(log.fromHistory());
    for (const way of log.fromNewBases()) add(way);
  }
  for (const candidate of candidates) {
    const isRdb = candidate.hasRdb && candidate.rdbIsWhole && candidate.commands === 0;
    if (candidate.kind === 'single-log' || (candidate.kind === 'copy' && candidate.form === 'aof')) {
      add(chain('single-log', [candidate], [], false));
    } else if (candidate.kind === 'copy' && candidate.hasRdb && candidate.commands > 0) {
      add(chain('single-log', [candidate], [], false));
    } else if (isRdb && ['rdb', 'copy', 'temporary-save'].includes(candidate.kind)) {
      add(chain('rdb', [candidate], [], candidate.kind !== 'rdb'));
    } else if (isRdb && candidate.kind === 'temporary-rewrite') {
      add(chain('rdb', [candidate], [], true));
    }
  }
  return ways;
}

function sameParts(a: Way, b: Way): boolean {
  const key = (way: Way) =>
    way.parts
      .filter((part) => part.end > 0)
      .map((part) => `${part.candidate.path}:${part.end}`)
      .join('|');
  return key(a) === key(b);
}

/** Seconds an RDB's own time may be behind the moment of its fork, and files behind their last write. */
const CLOCK_SLACK_MS = 1500;

class LogFiles {
  private readonly own: readonly Candidate[];

  constructor(
    private readonly room: LogRoom,
    private readonly all: readonly Candidate[],
  ) {
    const prefix = room.name === '' ? '' : `${room.name}/`;
    this.own = all.filter(({ name }) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'));
  }

  /** Base and increments as a server takes them. */
  byManifest(): Way | null {
    const { manifest } = this.room;
    if (manifest === null || manifest.problems.length > 0) return null;
    const named = [...(manifest.base === null ? [] : [manifest.base]), ...manifest.increments];
    const files: Candidate[] = [];
    const missing: string[] = [];
    for (const entry of named) {
      const name = Buffer.from(entry.name, 'latin1').toString('utf8');
      const file = this.find(name);
      if (file === undefined) missing.push(name);
      else files.push({ ...file, seq: Number(entry.seq) });
      // What stands behind a gap builds on what is not there.
      if (file === undefined) break;
    }
    if (manifest.base !== null && files[0]?.kind !== 'base') return null;
    return chain('log', files, missing, false);
  }

  private find(name: string): Candidate | undefined {
    const path = this.room.name === '' ? name : `${this.room.name}/${name}`;
    const file = this.own.find((each) => each.name === path);
    return file === undefined || file.unread !== null ? undefined : file;
  }

  private bases(kinds: readonly Candidate['kind'][]): Candidate[] {
    return this.own
      .filter(
        ({ kind, name, seq }) => kinds.includes(kind) && seq > 0 && (kind !== 'history' || isBase(name)),
      )
      .sort((a, b) => b.seq - a.seq);
  }

  private increments(kinds: readonly Candidate['kind'][]): Candidate[] {
    return this.own
      .filter(({ kind, name }) => kinds.includes(kind) && (kind !== 'history' || !isBase(name)))
      .sort((a, b) => a.seq - b.seq);
  }

  /** Without a manifest, or with one that no server reads: the newest base, and the increments that can follow it. */
  byNames(): Way | null {
    const { manifest } = this.room;
    if (manifest !== null && manifest.problems.length === 0) return null;
    const any: Candidate['kind'][] = ['base', 'stray-base', 'history'];
    const base = this.bases(any).find(usableAsBase) ?? null;
    const increments = this.increments(['increment', 'stray-increment', 'history']);
    const temporary = this.increments(['temporary-increment']);
    const after = base === null ? increments : followers(base, increments);
    const files = [...(base === null ? [] : [base]), ...contiguous(after), ...temporary];
    return files.length === 0 ? null : chain('log-by-names', files, [], true);
  }

  /** History and what is written since: everything that a rewrite folded into its base. */
  fromHistory(): Way | null {
    const { manifest } = this.room;
    if (manifest === null || manifest.problems.length > 0 || manifest.history.length === 0) return null;
    const base = this.bases(['history'])[0] ?? null;
    const old = this.increments(['history']).filter(({ seq }) => base === null || seq >= base.seq);
    const files = contiguous([...old, ...this.increments(['increment'])]);
    // A gap before the increments in use would leave out what was acknowledged in between.
    const first = this.increments(['increment'])[0];
    if (files.length === 0 || (first !== undefined && !files.includes(first))) return null;
    if (base === null && old[0]?.seq !== 1) return null;
    return chain('log-from-history', [...(base === null ? [] : [base]), ...files], [], true);
  }

  /** The result of a rewrite that the manifest never learnt of, with the increments opened when it began, or later. */
  *fromNewBases(): Generator<Way> {
    const { manifest } = this.room;
    if (manifest === null || manifest.problems.length > 0) return;
    const increments = this.increments(['increment']);
    const rewrites = this.all.filter(({ kind }) => kind === 'temporary-rewrite');
    const current = Number(manifest.base?.seq ?? 0);
    const bases = this.bases(['stray-base']).filter(({ seq }) => seq > current);
    for (const base of [...bases, ...rewrites]) {
      if (!isWholeRewrite(base) || increments.length === 0) continue;
      const way = chain('log-from-new-base', [base, ...sinceFork(base, increments)], [], true);
      if (way !== null) yield way;
    }
  }
}

const isBase = (name: string): boolean => /\.base\.(rdb|aof)$/.test(name);
const usableAsBase = (file: Candidate): boolean => file.state === 'empty' || !file.hasRdb || file.rdbIsWhole;

/** A rewrite's result counts only when it is known to be all of it. */
function isWholeRewrite(file: Candidate): boolean {
  if (file.state !== 'intact') return false;
  return file.hasRdb || /temp-rewriteaof-bg-/.test(file.name) || isBase(file.name);
}

/** The increments of a base whose number they can have; those that ended before it was saved are in it already. */
function followers(base: Candidate, increments: readonly Candidate[]): Candidate[] {
  const { savedAtMs } = base;
  const later = increments.filter(({ seq }) => seq >= base.seq);
  if (savedAtMs === null || base.modifiedMs - savedAtMs > 3_600_000) return later;
  return later.filter(({ modifiedMs }) => modifiedMs > savedAtMs - CLOCK_SLACK_MS);
}

/**
 * The last increment was opened when the last rewrite began. The one before it belongs to the base, too, only when it
 * was still written to after the base's fork.
 */
function sinceFork(base: Candidate, increments: readonly Candidate[]): Candidate[] {
  let first = increments.length - 1;
  const { savedAtMs } = base;
  while (savedAtMs !== null && first > 0 && increments[first - 1]!.modifiedMs > savedAtMs + CLOCK_SLACK_MS)
    first--;
  return increments.slice(first);
}

/** From the first on, as long as no number is missing. */
function contiguous(files: readonly Candidate[]): Candidate[] {
  const gap = files.findIndex((file, i) => i > 0 && file.seq !== files[i - 1]!.seq + 1);
  return gap < 0 ? [...files] : files.slice(0, gap);
}

/** Takes files in order up to the first damage. Null when nothing is left, or what is left never was a state. */
function chain(
  kind: WayKind,
  files: readonly Candidate[],
  missing: readonly string[],
  concluded: boolean,
): Way | null {
  const parts: Part[] = [];
  let damage: Finding | null = null;
  let stop = files.length;
  for (const [i, candidate] of files.entries()) {
    if (candidate.unread !== null || candidate.state === 'foreign') {
      stop = i;
      break;
    }
    if (candidate.hasRdb && !candidate.rdbIsWhole) return null;
    const role =
      kind !== 'rdb' && i === 0 && (candidate.hasRdb || isFirstBase(candidate)) ? 'base' : 'increment';
    parts.push({ candidate, role: kind === 'rdb' ? 'base' : role, end: candidate.validBytes });
    if (candidate.damage === null) continue;
    damage = candidate.damage;
    stop = i + 1;
    break;
  }
  const bytes = parts.reduce((sum, part) => sum + part.end, 0);
  if (parts.length === 0 || (damage !== null && bytes === 0)) return null;
  const leftOut = files.slice(stop);
  const all = files.reduce((sum, file) => sum + file.bytes, 0);
  const commands = parts.reduce((sum, part) => sum + part.candidate.commands, 0);
  return {
    kind,
    parts,
    leftOut,
    damage,
    missing,
    concluded,
    newest: newestOf(parts, damage !== null || leftOut.length > 0 || missing.length > 0),
    bytes,
    lostBytes: all - bytes,
    commands,
  };
}

function isFirstBase({ kind, name }: Candidate): boolean {
  return (
    kind === 'base' ||
    kind === 'single-log' ||
    kind === 'copy' ||
    kind === 'temporary-rewrite' ||
    isBase(name)
  );
}

/** The time of the last write taken. */
function newestOf(parts: readonly Part[], cut: boolean): Newest | null {
  const filled = parts.filter((part) => part.end > 0);
  const last = filled.at(-1);
  if (last === undefined) return null;
  const { candidate, end } = last;
  if (candidate.lastTimeMs !== null) return { ms: candidate.lastTimeMs, by: 'annotation' };
  if (candidate.commands === 0 && candidate.hasRdb) {
    return candidate.savedAtMs === null
      ? { ms: candidate.modifiedMs, by: 'modified' }
      : { ms: candidate.savedAtMs, by: 'saved' };
  }
  if (!cut || candidate.bytes === end) return { ms: candidate.modifiedMs, by: 'modified' };
  // Between the file before it and its own last write, in proportion to the bytes.
  const before = filled.at(-2)?.candidate;
  const startMs =
    candidate.savedAtMs ?? (before?.commands === 0 ? before.savedAtMs : before?.modifiedMs) ?? null;
  if (startMs === null || startMs > candidate.modifiedMs) return { ms: candidate.modifiedMs, by: 'modified' };
  const share = candidate.bytes === 0 ? 1 : end / candidate.bytes;
  return { ms: Math.floor(startMs + share * (candidate.modifiedMs - startMs)), by: 'estimated' };
}
