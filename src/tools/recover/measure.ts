import { NO_CUT } from '../../aof/cut.js';
import type { AofFileEntry, AofSet } from '../../aof/set.js';
import { UsageError } from '../../errors.js';
import type { ToolContext } from '../context.js';
import { digest, digestKeyspace } from '../digest.js';
import type { Server } from '../family.js';
import { EVERY_KEY } from '../filter.js';
import { type Rebuilt, rebuild } from '../rebuild.js';
import { DamageError } from '../report.js';
import { ContentSource } from './content.js';
import type { Part, Way } from './ways.js';

/** What a state holds. */
export interface Measure {
  readonly keys: number;
  /** Of those: past their TTL. A server drops them when it loads them. */
  readonly expired: number;
  /** As DEBUG DIGEST of the server that wrote the files. */
  readonly digest: string;
  /** Commands the embedded engine does not know: keys and digest lack what they did. */
  readonly unknownCommands: number;
}

export interface Measured {
  readonly way: Way;
  /** Null when it was not worth the time or does not fit into memory. */
  readonly measure: Measure | null;
  /** Why it was not measured. */
  readonly why: string;
}

/** The log that a way is. */
export function setOf(parts: readonly Part[], directory: string, context: ToolContext): AofSet {
  return {
    directory,
    manifestPath: null,
    manifest: null,
    files: parts.map((part, index) => entryOf(part, index, context)),
    history: [],
    missing: [],
    strays: [],
    findings: [],
  };
}

function entryOf({ candidate, role, content }: Part, index: number, context: ToolContext): AofFileEntry {
  const source = new ContentSource(candidate.source!, content, context);
  const format = content.pieces.length === 0 ? 'empty' : candidate.hasRdb ? 'rdb' : 'resp';
  return {
    name: candidate.name,
    path: candidate.path,
    role: role === 'base' ? 'base' : 'incr',
    seq: index + 1,
    size: source.size,
    format,
    source,
  };
}

/** Rebuilds a state in memory. Commands that the engine does not know are passed over and counted. */
export function rebuildWay(way: Way, directory: string, as: Server, context: ToolContext): Promise<Rebuilt> {
  const options = { cut: NO_CUT, as, onUnknown: 'skip', dialect: null } as const;
  return rebuild(setOf(way.parts, directory, context), options, context);
}

/** Says what a state holds. A snapshot streams past; a log is executed in memory. */
export async function measureWay(
  way: Way,
  directory: string,
  as: Server,
  context: ToolContext,
): Promise<Measured> {
  const everything = { as, dialect: null, conditions: EVERY_KEY, keys: null };
  try {
    const snapshot = snapshotOf(way);
    if (snapshot !== null) {
      const bytes = new ContentSource(snapshot.candidate.source!, snapshot.content, context);
      const common = { path: bytes.label, choice: '', isDirectory: false } as const;
      const report = await digest({ ...common, kind: 'rdb', bytes }, everything, context);
      const { keys, expired } = report;
      return { way, measure: { keys, expired, digest: report.digest, unknownCommands: 0 }, why: '' };
    }
    const rebuilt = await rebuildWay(way, directory, as, context);
    const report = await digestKeyspace(rebuilt, everything, context);
    const unknownCommands = rebuilt.skipped.length;
    const { keys, expired } = report;
    return { way, measure: { keys, expired, digest: report.digest, unknownCommands }, why: '' };
  } catch (error) {
    if (error instanceof UsageError) return { way, measure: null, why: error.message };
    // A check of structure cannot see all that executing does.
    if (error instanceof DamageError)
      return { way, measure: null, why: `${error.finding.code} while executing it` };
    throw error;
  }
}

/** The only part of a way that is a snapshot and nothing else; null for a log. */
export function snapshotOf(way: Way): Part | null {
  const filled = way.parts.filter(({ content }) => content.pieces.length > 0);
  const only = filled.length === 1 ? filled[0]! : null;
  return only?.candidate.hasRdb === true && way.commands === 0 ? only : null;
}
