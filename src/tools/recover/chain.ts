import type { Finding } from '../../model/finding.js';
import { type Content, endOfPrefix } from './content.js';
import type { Newest, Part, Way, WayKind } from './ways.js';
import type { Candidate } from './weigh.js';

/** Files that belong together, in load order. */
export interface Chain {
  readonly kind: WayKind;
  readonly files: readonly Candidate[];
  /** Base names of files that belong between or behind them and are not there. */
  readonly missing: readonly string[];
  /** How many of the files stand before the first that is missing. */
  readonly beforeGap: number;
  readonly concluded: boolean;
}

/** The files up to the first damage. Null when nothing is left, or when what is left never was a state. */
export function cutWay(chain: Chain): Way | null {
  const { kind, files, beforeGap } = chain;
  const parts: Part[] = [];
  let damage: Finding | null = null;
  let stop = beforeGap;
  for (const [i, candidate] of files.slice(0, beforeGap).entries()) {
    const { content } = candidate;
    if (content === null) {
      // A snapshot with holes, or a file that cannot be read: nothing that builds on it was ever a state.
      if (i === 0 || candidate.hasRdb) return null;
      damage = candidate.damage;
      stop = i;
      break;
    }
    parts.push({ candidate, role: roleOf(kind, i, candidate), content });
    if (content.left.length === 0) continue;
    damage = candidate.damage;
    stop = i + 1;
    break;
  }
  return wayOf(chain, parts, files.slice(stop), damage, true);
}

/** Everything that reads of the files. Null when that is no more than what the cut leaves. */
export function salvageWay(chain: Chain): Way | null {
  const { kind, files } = chain;
  const parts: Part[] = [];
  const leftOut: Candidate[] = [];
  for (const [i, candidate] of files.entries()) {
    const { salvaged } = candidate;
    if (salvaged === null) leftOut.push(candidate);
    else parts.push({ candidate, role: roleOf(kind, i, candidate), content: salvaged });
  }
  const damage = parts.find(({ content }) => content.left.length > 0)?.candidate.damage ?? null;
  return wayOf(chain, parts, leftOut, damage, false);
}

function wayOf(
  { kind, files, missing, concluded }: Chain,
  parts: readonly Part[],
  leftOut: readonly Candidate[],
  damage: Finding | null,
  existed: boolean,
): Way | null {
  const sum = (of: (content: Content) => number) =>
    parts.reduce((total, part) => total + of(part.content), 0);
  const holds = sum(({ pieces }) => pieces.length) > 0;
  if (parts.length === 0 || (!holds && files.some(({ bytes }) => bytes > 0))) return null;
  const all = files.reduce((total, file) => total + file.bytes, 0);
  const behind = leftOut.reduce((total, file) => total + file.bytes, 0);
  const lostBytes = behind + sum(({ left }) => left.reduce((total, { from, to }) => total + to - from, 0));
  const isCut = damage !== null || leftOut.length > 0 || missing.length > 0;
  return {
    kind,
    existed,
    parts,
    leftOut,
    damage,
    missing,
    concluded,
    newest: newestOf(parts, existed && isCut),
    bytes: all - lostBytes,
    lostBytes,
    corrected: sum(({ corrected }) => corrected),
    commands: parts.reduce((total, part) => total + commandsOf(part), 0),
  };
}

/** What a salvage takes of commands behind the damage, whole transactions aside, is counted when it is executed. */
function commandsOf({ candidate, content }: Part): number {
  if (content === candidate.content) return candidate.commands;
  const lost = content.left.reduce((total, { commands }) => total + Math.max(0, (commands ?? 1) - 1), 0);
  return Math.max(0, candidate.commands + (candidate.commandsBehind ?? 0) - lost);
}

function roleOf(kind: WayKind, index: number, { hasRdb, kind: what, name }: Candidate): Part['role'] {
  if (kind === 'rdb') return 'base';
  if (index > 0) return 'increment';
  const isBase = ['base', 'single-log', 'copy', 'temporary-rewrite'].includes(what) || isBaseName(name);
  return hasRdb || isBase ? 'base' : 'increment';
}

/** True for a base by its name. */
export const isBaseName = (name: string): boolean => /\.base\.(rdb|aof)$/.test(name);

/** The time of the last write taken. */
function newestOf(parts: readonly Part[], cut: boolean): Newest | null {
  const filled = parts.filter(({ content }) => content.pieces.length > 0);
  const last = filled.at(-1);
  if (last === undefined) return null;
  const { candidate, content } = last;
  const isSalvage = content !== candidate.content && content.left.length > 0;
  if (isSalvage && candidate.commands > 0) return { ms: candidate.modifiedMs, by: 'modified' };
  if (candidate.lastTimeMs !== null) return { ms: candidate.lastTimeMs, by: 'annotation' };
  if (candidate.commands === 0 && candidate.hasRdb) {
    return candidate.savedAtMs === null
      ? { ms: candidate.modifiedMs, by: 'modified' }
      : { ms: candidate.savedAtMs, by: 'saved' };
  }
  const end = endOfPrefix(content) ?? candidate.bytes;
  if (!cut || candidate.bytes === end) return { ms: candidate.modifiedMs, by: 'modified' };
  // Between the file before it and its own last write, in proportion to the bytes.
  const before = filled.at(-2)?.candidate;
  const startMs =
    candidate.savedAtMs ?? (before?.commands === 0 ? before.savedAtMs : before?.modifiedMs) ?? null;
  if (startMs === null || startMs > candidate.modifiedMs) return { ms: candidate.modifiedMs, by: 'modified' };
  const share = candidate.bytes === 0 ? 1 : end / candidate.bytes;
  return { ms: Math.floor(startMs + share * (candidate.modifiedMs - startMs)), by: 'estimated' };
}
