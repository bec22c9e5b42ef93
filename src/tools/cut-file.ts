import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { ByteSource } from '../bytes/source.js';
import { FileSource } from '../bytes/source.js';
import { FileTarget, outputErrorOf } from '../bytes/target.js';
import { OutputError, UsageError } from '../errors.js';
import type { ToolContext } from './context.js';

/** The copy that stands beside a file before it is changed in place. */
export interface Backup {
  readonly path: string;
  /** Of both the backup and the file as it was, in hex. */
  readonly sha256: string;
}

/** Copies beside a file that are tried when their names are taken. */
const NAMES_MAX = 100;

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
    const backup = await backUp(source, context);
    await refuseGrown(handle, source);
    await handle.truncate(bytes);
    await handle.sync();
    return backup;
  } catch (error) {
    if (error === context.signal.reason) throw error;
    if (error instanceof UsageError) throw new OutputError(path, error.message, error.hint);
    throw outputErrorOf(error, path);
  } finally {
    await handle?.close();
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

async function backUp(source: FileSource, context: ToolContext): Promise<Backup> {
  const { mode, uid, gid } = await stat(source.label);
  const target = await backupTarget(source.label, context, mode & 0o777);
  try {
    const sha256 = await copy(source, target, context);
    await target.flush();
    const written = await FileSource.at(target.stagedPath);
    if (written.size !== source.size || (await sha256Of(written, context)) !== sha256) {
      throw new OutputError(
        target.label,
        'the backup does not read back as it was written: nothing was changed',
      );
    }
    await handOver(target.stagedPath, uid, gid);
    await target.publish();
    return { path: target.label, sha256 };
  } finally {
    if (!target.closed) await target.discard();
  }
}

async function backupTarget(path: string, context: ToolContext, mode: number): Promise<FileTarget> {
  const time = new Date(context.clock()).toISOString().replace(/[-:]|\.\d+/g, '');
  for (let number = 1; ; number++) {
    try {
      const name = `${path}.bak-${time}${number === 1 ? '' : `-${number}`}`;
      return await FileTarget.create(name, { force: false, mode });
    } catch (error) {
      if (!(error instanceof UsageError) || number === NAMES_MAX) throw error;
    }
  }
}

/** Where this user may, the backup belongs to whom the file belongs to. */
async function handOver(path: string, uid: number, gid: number): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.chown(uid, gid);
  } catch {
    // Only root may give files away; the bytes are what counts.
  } finally {
    await handle.close();
  }
}

async function copy(source: ByteSource, target: FileTarget, context: ToolContext): Promise<string> {
  return readThrough(source, context, async (part) => {
    target.write(part);
    if (target.full) await target.drain();
  });
}

function sha256Of(source: ByteSource, context: ToolContext): Promise<string> {
  return readThrough(source, context, async () => {});
}

async function readThrough(
  source: ByteSource,
  context: ToolContext,
  take: (part: Buffer) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafeSlow(1 << 20);
  const reader = await source.open();
  try {
    for (let done = 0; ; ) {
      context.signal.throwIfAborted();
      const count = await reader.read(chunk);
      if (count === 0) return hash.digest('hex');
      const part = chunk.subarray(0, count);
      hash.update(part);
      await take(part);
      done += count;
      context.progress({ label: source.label, done, total: source.size });
    }
  } finally {
    await reader.close();
  }
}
