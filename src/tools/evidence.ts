import type { Disk } from '../bytes/disk.js';
import type { ByteSource } from '../bytes/source.js';
import { FileTarget } from '../bytes/target.js';
import type { ToolContext } from './context.js';
import { sha256Of } from './repair/backup.js';

/** A file that a verdict rests on. */
export interface EvidenceFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Null when it could not be read. */
  readonly source: ByteSource | null;
}

/** The same as it was when it was looked at. */
export interface EvidenceInput extends Omit<EvidenceFile, 'source'> {
  /** In hex; null when it could not be read. */
  readonly sha256: string | null;
}

/** Hashes every file. @throws the signal's reason */
export async function gatherEvidence(
  files: readonly EvidenceFile[],
  context: ToolContext,
): Promise<EvidenceInput[]> {
  const inputs: EvidenceInput[] = [];
  for (const { source, name, path, bytes, modifiedMs, mode, uid, gid } of files) {
    const sha256 = source === null ? null : await sha256Of(source, context).catch(() => null);
    context.signal.throwIfAborted();
    inputs.push({ name, path, bytes, modifiedMs, mode, uid, gid, sha256 });
  }
  return inputs;
}

/** Writes a text under a name, whole or not at all. @throws UsageError OutputError */
export async function writeEvidence(path: string, text: string, force: boolean, disk: Disk): Promise<void> {
  const target = await FileTarget.create(path, { force, disk });
  try {
    target.write(Buffer.from(text));
    await target.publish();
  } finally {
    await target.discard();
  }
}
