import { ticketOf } from '../../bytes/file-ticket.js';
import type { FileSource, FileTicket } from '../../bytes/source.js';
import { stat } from '../../bytes/system.js';
import { FileShare } from '../file-share.js';
import { ThreadJob } from '../thread.js';

/** Small, so that two threads end at the same time. */
export const PIECE_BYTES = 4 * 1024 * 1024;
/** Below this many bytes starting a thread costs more than it saves. */
export const THREAD_FROM_BYTES = 128 * 1024 * 1024;

/** A thread that checks a file from its end, and what it and another take of it. */
interface RdbAhead {
  readonly file: FileTicket;
  readonly share: FileShare;
  readonly job: ThreadJob;
}

let begun: RdbAhead | null = null;

/**
 * Has a thread begin from the end of what may be an RDB, if it is large, for a check that comes in a moment: a thread
 * starts while the rest of the program is loaded. No process waits for one that nobody takes.
 */
export async function beginRdbAhead(path: string): Promise<void> {
  const stats = await stat(path).catch(() => null);
  if (stats === null || !stats.isFile() || stats.size < THREAD_FROM_BYTES) return;
  const file = ticketOf(path, stats);
  const share = new FileShare(0, file.size, PIECE_BYTES);
  const claimed = share.memory;
  const job = ThreadJob.start({ kind: 'rdb-back', file, pieceBytes: PIECE_BYTES, claimed, dialect: null });
  job?.release();
  begun = job && { file, share, job };
}

/** The thread that has begun with that file; null when there is none. It is the caller's now. */
export function takeRdbAhead({ ticket }: FileSource): Pick<RdbAhead, 'share' | 'job'> | null {
  const taken = begun;
  if (taken === null || !isSame(taken.file, ticket)) return null;
  begun = null;
  taken.job.hold();
  return taken;
}

const isSame = (a: FileTicket, b: FileTicket): boolean =>
  a.path === b.path && a.size === b.size && a.identity === b.identity && a.modifiedMs === b.modifiedMs;
