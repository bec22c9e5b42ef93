import { basename } from 'node:path';
import type { Cut } from '../../aof/cut.js';
import { type LogEnd, type LogHandler, readLog } from '../../aof/log.js';
import type { AofFileEntry, AofSet } from '../../aof/set.js';
import { type AofPlan, copyOf, nothing, writeAofFiles } from '../../aof/writer.js';
import { DirectoryTarget } from '../../bytes/directory-target.js';
import type { FileTarget } from '../../bytes/target.js';
import { UsageError } from '../../errors.js';
import type { DialectName } from '../../rdb/dialect.js';
import { RdbSink } from '../../rdb/handler.js';
import type { ToolContext } from '../context.js';
import { namingFile } from '../report.js';

/** Follows a log without executing anything. */
class Follower implements LogHandler {
  readonly rdb = new RdbSink();
  readonly full = false;
  fileStart(): void {}
  apply(): void {}
  drain(): Promise<void> {
    return Promise.resolve();
  }
}

/** Finds where a cut falls: every record is read, none is executed. @throws DamageError UsageError as replay does */
export function findCut(
  set: AofSet,
  cut: Cut,
  dialect: DialectName | null,
  context: ToolContext,
): Promise<LogEnd> {
  return namingFile(set.manifestPath ?? set.directory, () =>
    readLog(set, new Follower(), cut, {
      rdb: { verifyChecksum: true, deep: false, dialect: dialect ?? undefined },
      signal: context.signal,
      progress: (file, done) =>
        context.progress({ phase: 'copying', label: file.path, done, total: file.size }),
    }),
  );
}

/** The end of a log: a file of it, and an offset in that. */
export type CutPlace = Pick<LogEnd['stoppedAt'], 'file' | 'offset'>;

/**
 * The files of a log up to a cut, byte for byte, as a directory: names by the numbers that the files have, what is behind
 * the cut left out.
 *
 * @throws UsageError when the set is not one that a manifest can name
 */
export function cutPlan(set: AofSet, { file, offset }: CutPlace, filename = filenameOf(set)): AofPlan {
  const [base, ...rest] = set.files.filter((each) => each.role !== 'incr');
  if (rest.length > 0) {
    throw new UsageError(
      'a snapshot of several files is no log that could be cut',
      'replay it without --no-execute',
    );
  }
  const cutAt = file === null ? -1 : set.files.indexOf(file);
  const bytesOf = (each: AofFileEntry): number | null => {
    const place = set.files.indexOf(each);
    if (place > cutAt) return 0;
    return place === cutAt ? offset : null;
  };
  const increments = set.files
    .filter((each) => each.role === 'incr' && set.files.indexOf(each) <= cutAt)
    .map((each) => ({ seq: Number(each.seq), write: copyOf(each.source, 0, bytesOf(each)) }));
  const seq = base === undefined || base.role === 'single' ? 1 : Number(base.seq);
  const next = set.files.find((each) => each.role === 'incr');
  return {
    filename,
    base:
      base === undefined
        ? null
        : {
            seq,
            format: base.format === 'rdb' ? 'rdb' : 'aof',
            write: copyOf(base.source, 0, bytesOf(base)),
          },
    // Servers append to the last one, and want one even if it is empty.
    increments:
      increments.length > 0
        ? increments
        : [{ seq: next === undefined ? 1 : Number(next.seq), write: nothing }],
  };
}

/** Writes the files of a log up to a cut; resolves to their bytes. Publishing is the caller's. */
export async function writeCut(
  set: AofSet,
  place: CutPlace,
  target: FileTarget | DirectoryTarget,
  folder: string,
): Promise<number> {
  if (target instanceof DirectoryTarget) {
    const files = await writeAofFiles(target, folder, cutPlan(set, place));
    return files.reduce((sum, file) => sum + file.bytes, 0);
  }
  const [only] = set.files;
  if (only !== undefined) await copyOf(only.source, 0, place.offset)(target);
  return target.size;
}

/** The `appendfilename` of the server that wrote the set. */
export function filenameOf(set: AofSet): string {
  const manifest = set.manifestPath === null ? null : basename(set.manifestPath);
  return manifest?.endsWith('.manifest') === true ? manifest.slice(0, -'.manifest'.length) : 'appendonly.aof';
}
