import type { FileHandle } from 'node:fs/promises';
import { localDisk } from '../bytes/disk.js';
import type { FileSource } from '../bytes/source.js';
import { open } from '../bytes/system.js';
import { outputErrorOf } from '../bytes/target.js';
import { OutputError, UsageError } from '../errors.js';
import type { ToolContext } from './context.js';
import { type Backup, backUp } from './repair/backup.js';

/**
 * Cuts a file in place at `bytes`, once a copy of all of it stands beside it that was read back and has the same
 * SHA-256. Returns when both are on the medium.
 *
 * @throws the signal's reason when aborted before the cut
 * @throws OutputError when anything fails, and when the file is no longer the one that `source` saw; the file is then
 * untouched, unless the medium failed during the cut itself: then the backup stands
 */
export async function cutFile(source: FileSource, bytes: number, context: ToolContext): Promise<Backup> {
  const path = source.label;
  let handle: FileHandle | null = null;
  try {
    // Opened first: where the file may not be written, no copy is made.
    handle = await open(path, 'r+');
    await refuseGrown(handle, source);
    const backup = await backUp(source, context, localDisk);
    await refuseGrown(handle, source);
    await handle.truncate(bytes);
    await handle.sync();
    const own = handle;
    handle = null;
    await own.close();
    return backup;
  } catch (error) {
    if (error === context.signal.reason) throw error;
    if (error instanceof UsageError) throw new OutputError(path, error.message, error.hint);
    throw outputErrorOf(error, path);
  } finally {
    await handle?.close().catch(() => {});
  }
}

/** A server that still appends would lose what it wrote meanwhile. */
async function refuseGrown(handle: FileHandle, source: FileSource): Promise<void> {
  const { size } = await handle.stat();
  if (size === source.size) return;
  throw new OutputError(
    source.label,
    `has ${size} bytes now and had ${source.size} when it was checked: nothing was changed`,
    'stop the server that writes it, then run this again',
  );
}
