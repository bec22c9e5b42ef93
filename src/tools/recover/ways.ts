import type { Finding } from '../../model/finding.js';
import { type Chain, cutWay, isBaseName, salvageWay } from './chain.js';
import type { Content } from './content.js';
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
  readonly content: Content;
}

/** When the last write of a state was made. `modified`: not after this; `estimated`: somewhere about. */
export interface Newest {
  readonly ms: number;
  readonly by: 'annotation' | 'saved' | 'modified' | 'estimated';
}

/** A state that can be brought back. */
export interface Way {
  readonly kind: WayKind;
  /**
   * True for a state that stood in the server at some moment: a log up to its first damage, a whole snapshot. False where
   * damaged ranges are left out and what follows them is taken all the same.
   */
  readonly existed: boolean;
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
  /** Bytes of its files that are taken, and that are not. */
  readonly bytes: number;
  readonly lostBytes: number;
  /** Bytes that were put right because a checksum proves what they were. */
  readonly corrected: number;
  /** Commands taken. */
  readonly commands: number;
}

/**
 * Every state that the files of a directory lead to, in no order: up to the first damage, and where there is damage
 * everything that reads. Those of which nothing is left are not among them.
 */
export function waysOf(survey: DirectorySurvey, candidates: readonly Candidate[]): Way[] {
  const chains = chainsOf(survey, candidates);
  const ways: Way[] = [];
  const add = (way: Way | null) => {
    if (way !== null && !ways.some((other) => contentKey(other.parts) === contentKey(way.parts)))
      ways.push(way);
  };
  for (const chain of chains) add(cutWay(chain));
  for (const chain of chains) add(salvageWay(chain));
  return ways;
}

function chainsOf(survey: DirectorySurvey, candidates: readonly Candidate[]): Chain[] {
  const chains: (Chain | null)[] = [];
  for (const room of survey.rooms) {
    const log = new LogFiles(room, candidates);
    chains.push(log.byManifest(), log.byNames(), log.fromHistory(), ...log.fromNewBases());
  }
  for (const candidate of candidates) {
    const { kind, form, hasRdb, commands, commandsBehind, state } = candidate;
    if (state === 'unread' || state === 'foreign') continue;
    const isLog = form === 'aof' || commands > 0 || (commandsBehind ?? 0) > 0;
    if (kind === 'single-log' || (kind === 'copy' && isLog))
      chains.push(chainOf('single-log', [candidate], false));
    else if (hasRdb && SNAPSHOTS.has(kind)) chains.push(chainOf('rdb', [candidate], kind !== 'rdb'));
  }
  return chains.filter((chain) => chain !== null);
}

const SNAPSHOTS: ReadonlySet<Candidate['kind']> = new Set([
  'rdb',
  'copy',
  'temporary-save',
  'temporary-rewrite',
]);

const chainOf = (kind: WayKind, files: readonly Candidate[], concluded: boolean): Chain => ({
  kind,
  files,
  missing: [],
  beforeGap: files.length,
  concluded,
});

/** The bytes that a way takes, told apart from those of others. */
export function contentKey(parts: readonly Part[]): string {
  return parts
    .filter(({ content }) => content.pieces.length > 0)
    .map(({ candidate, content }) => `${candidate.path}:${content.pieces.map(pieceKey).join('+')}`)
    .join('|');
}

function pieceKey(piece: Content['pieces'][number]): string {
  return piece.kind === 'bytes' ? `${piece.from}-${piece.to}` : piece.kind;
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
  byManifest(): Chain | null {
    const { manifest } = this.room;
    if (manifest === null || manifest.problems.length > 0) return null;
    const named = [...(manifest.base === null ? [] : [manifest.base]), ...manifest.increments];
    const files: Candidate[] = [];
    const missing: string[] = [];
    let beforeGap = -1;
    for (const entry of named) {
      const name = Buffer.from(entry.name, 'latin1').toString('utf8');
      const file = this.find(name);
      if (file !== undefined) files.push({ ...file, seq: Number(entry.seq) });
      else {
        missing.push(name);
        if (beforeGap < 0) beforeGap = files.length;
      }
    }
    if (files.length === 0) return null;
    return {
      kind: 'log',
      files,
      missing,
      beforeGap: beforeGap < 0 ? files.length : beforeGap,
      concluded: false,
    };
  }

  private find(name: string): Candidate | undefined {
    const path = this.room.name === '' ? name : `${this.room.name}/${name}`;
    const file = this.own.find((each) => each.name === path && each.kind !== 'manifest');
    return file === undefined || file.unread !== null ? undefined : file;
  }

  private bases(kinds: readonly Candidate['kind'][]): Candidate[] {
    return this.own
      .filter(
        ({ kind, name, seq }) => kinds.includes(kind) && seq > 0 && (kind !== 'history' || isBaseName(name)),
      )
      .sort((a, b) => b.seq - a.seq);
  }

  private increments(kinds: readonly Candidate['kind'][]): Candidate[] {
    return this.own
      .filter(({ kind, name }) => kinds.includes(kind) && (kind !== 'history' || !isBaseName(name)))
      .sort((a, b) => a.seq - b.seq);
  }

  /** Without a manifest, or with one that no server reads: the newest base, and the increments that can follow it. */
  byNames(): Chain | null {
    const { manifest } = this.room;
    if (manifest !== null && manifest.problems.length === 0) return null;
    const any: Candidate['kind'][] = ['base', 'stray-base', 'history'];
    const base = this.bases(any).find(usableAsBase) ?? null;
    const increments = this.increments(['increment', 'stray-increment', 'history']);
    const temporary = this.increments(['temporary-increment']);
    const after = base === null ? increments : followers(base, increments);
    const files = [...(base === null ? [] : [base]), ...contiguous(after), ...temporary];
    return files.length === 0 ? null : chainOf('log-by-names', files, true);
  }

  /** History and what is written since: everything that a rewrite folded into its base. */
  fromHistory(): Chain | null {
    const { manifest } = this.room;
    if (manifest === null || manifest.problems.length > 0 || manifest.history.length === 0) return null;
    const base = this.bases(['history'])[0] ?? null;
    const old = this.increments(['history']).filter(({ seq }) => base === null || seq >= base.seq);
    const files = contiguous([...old, ...this.increments(['increment'])]);
    // A gap before the increments in use would leave out what was acknowledged in between.
    const first = this.increments(['increment'])[0];
    if (files.length === 0 || (first !== undefined && !files.includes(first))) return null;
    if (base === null && old[0]?.seq !== 1) return null;
    return chainOf('log-from-history', [...(base === null ? [] : [base]), ...files], true);
  }

  /** The result of a rewrite that the manifest never learnt of, with the increments opened when it began, or later. */
  *fromNewBases(): Generator<Chain> {
    const { manifest } = this.room;
    if (manifest === null || manifest.problems.length > 0) return;
    const increments = this.increments(['increment']);
    const rewrites = this.all.filter(({ kind }) => kind === 'temporary-rewrite');
    const current = Number(manifest.base?.seq ?? 0);
    const bases = this.bases(['stray-base']).filter(({ seq }) => seq > current);
    for (const base of [...bases, ...rewrites]) {
      if (!isWholeRewrite(base) || increments.length === 0) continue;
      yield chainOf('log-from-new-base', [base, ...sinceFork(base, increments)], true);
    }
  }
}

const usableAsBase = (file: Candidate): boolean => file.state === 'empty' || !file.hasRdb || file.rdbIsWhole;

/** A rewrite's result counts only when it is known to be all of it. */
function isWholeRewrite(file: Candidate): boolean {
  if (file.state !== 'intact') return false;
  return file.hasRdb || /temp-rewriteaof-bg-/.test(file.name) || isBaseName(file.name);
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
