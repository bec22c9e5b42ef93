import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { type Disk, errorCode } from '../../bytes/disk.js';
import { type ByteSource, FileSource } from '../../bytes/source.js';
import { FileTarget, outputErrorOf } from '../../bytes/target.js';
import { InputError, OutputError, UsageError } from '../../errors.js';
import type { ToolContext } from '../context.js';

/** The copy that stands beside a file before it is changed in place. */
export interface Backup {
  readonly path: string;
  /** Of both the backup and the file as it was, in hex. */
  readonly sha256: string;
}

/** Names beside a file that are tried when they are taken. */
const NAMES_MAX = 100;

/** `NAME.bak-TIMESTAMP` beside a file; `number` from 2 on tells several of one second apart. */
export function backupName(path: string, clockMs: number, number: number): string {
  const time = new Date(clockMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return join(dirname(path), `${basename(path)}.bak-${time}${number === 1 ? '' : `-${number}`}`);
}

/**
 * Copies a file beside itself, reads the copy back and compares the SHA-256 of both. Mode and, where this user may,
 * owner are those of the file. Returns when the copy is on the medium.
 *
 * @throws OutputError when anything of that fails; nothing is left then
 */
export async function backUp(source: FileSource, context: ToolContext, disk: Disk): Promise<Backup> {
  const facts = await disk.facts(source.label).catch((error) => {
    throw outputErrorOf(error, source.label);
  });
  const target = await backupTarget(source.label, context, facts.mode & 0o777, disk);
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
    await giveTo(target.stagedPath, facts, disk);
    await target.publish();
    return { path: target.label, sha256 };
  } catch (error) {
    if (error === context.signal.reason || error instanceof InputError) throw error;
    throw outputErrorOf(error, target.label);
  } finally {
    if (!target.closed) await target.discard();
  }
}

async function backupTarget(
  path: string,
  context: ToolContext,
  mode: number,
  disk: Disk,
): Promise<FileTarget> {
  for (let number = 1; ; number++) {
    try {
      return await FileTarget.create(backupName(path, context.clock(), number), { force: false, mode, disk });
    } catch (error) {
      if (!(error instanceof UsageError) || number === NAMES_MAX) throw error;
    }
  }
}

/** A name for a backup of `path` that nothing has yet. @throws OutputError when all are taken */
export async function freeBackupName(path: string, context: ToolContext, disk: Disk): Promise<string> {
  for (let number = 1; number <= NAMES_MAX; number++) {
    const name = backupName(path, context.clock(), number);
    if ((await disk.occupant(name)) === 'nothing') return name;
  }
  throw new OutputError(path, 'every name for a backup beside it is taken', 'try again in a second');
}

/**
 * Gives a file to the owner of another. Only root may give files away, so this may not succeed: false then.
 * @throws the error of the medium
 */
export async function giveTo(
  path: string,
  owner: { readonly uid: number; readonly gid: number },
  disk: Disk,
): Promise<boolean> {
  const own = await disk.facts(path);
  if (own.uid === owner.uid && own.gid === owner.gid) return true;
  try {
    await disk.setOwner(path, owner.uid, owner.gid);
    return true;
  } catch (error) {
    if (!['EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP'].includes(errorCode(error))) throw error;
    return false;
  }
}

async function copy(source: ByteSource, target: FileTarget, context: ToolContext): Promise<string> {
  return readThrough(source, context, async (part) => {
    target.write(part);
    if (target.full) await target.drain();
  });
}

/** SHA-256 of all bytes, in hex. */
export function sha256Of(source: ByteSource, context: ToolContext): Promise<string> {
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
      context.progress({ phase: 'backing up', label: source.label, done, total: source.size });
    }
  } finally {
    await reader.close();
  }
}
