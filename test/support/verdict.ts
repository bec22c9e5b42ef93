import type { Verdict } from '../../src/model/verdict.js';
import type { CorruptTruth, LoadTruth } from './corpus.js';

/** How `--as` names the server of a corpus folder: `redis-7.0.15` prints digests as `redis-7.0`. */
export function digestName(server: string): string {
  return /^[a-z]+-\d+\.\d+/.exec(server)![0];
}

/** Keys in all databases together. */
export function sizeOf(dbsize: Readonly<Record<string, number>>): number {
  return Object.values(dbsize).reduce((total, size) => total + size, 0);
}

/** What a server says when it goes on without something, or thinks nothing good of what it goes on with. */
const COMPLAINTS =
  /Truncating the AOF|Revert incomplete|sending an error to its AOF-loading-client|Assumed new key .* existed/;

/** What the real server did with a damaged input when it was started on it. */
export function serverVerdict({ files, load, ...strict }: CorruptTruth): Verdict {
  if (!survived(load)) return 'refused';
  const log = load.log.join('\n');
  // A server that finds no manifest starts empty, and says nothing.
  const held = Object.entries(files).some(([name, { size }]) => /\.(rdb|aof)$/.test(name) && size > 0);
  if (held && /^0+$/.test(load.digest ?? '')) return 'loss';
  const everywhere = [strict.load_truncated_no, strict.load_sanitize_yes].every(
    (each) => each === undefined || survived(each),
  );
  return everywhere && !COMPLAINTS.test(log) ? 'intact' : 'loss';
}

function survived(load: LoadTruth): boolean {
  return load.started && load.crashed !== true && load.died_after_load === undefined;
}
