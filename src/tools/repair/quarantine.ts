import { createHash } from 'node:crypto';
import { copyOf } from '../../aof/writer.js';
import type { Disk } from '../../bytes/disk.js';
import { type ByteTarget, FileTarget } from '../../bytes/target.js';
import type { ToolContext } from '../context.js';
import type { FileOutcome } from './plan.js';

/** Where one dropped range lies in its file and in the quarantine. */
export interface QuarantinedRange {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  /** Offset in the quarantine file. */
  readonly at: number;
}

export interface QuarantineReport {
  readonly path: string;
  readonly indexPath: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly ranges: readonly QuarantinedRange[];
}

/**
 * The bytes a repair drops, one range behind the other in a file, and beside it `FILE.json`, which says where each of
 * them was. Both stand before the repaired dataset does.
 */
export class Quarantine {
  private published: string[] = [];

  private constructor(
    private readonly path: string,
    private readonly bytes: FileTarget,
    private readonly index: FileTarget,
    private readonly disk: Disk,
  ) {}

  /** @throws UsageError when one of the files exists and `force` is not given, OutputError */
  static async create(path: string, force: boolean, disk: Disk): Promise<Quarantine> {
    const bytes = await FileTarget.create(path, { force, disk, mode: 0o600 });
    try {
      const index = await FileTarget.create(`${path}.json`, { force, disk, mode: 0o600 });
      return new Quarantine(path, bytes, index, disk);
    } catch (error) {
      await bytes.discard();
      throw error;
    }
  }

  /** Writes the dropped ranges of these files and makes them visible. @throws OutputError InputError */
  async write(files: readonly FileOutcome[], context: ToolContext): Promise<QuarantineReport> {
    const { bytes, index, path } = this;
    const hash = createHash('sha256');
    const hashed: ByteTarget = hashing(bytes, hash);
    const ranges: QuarantinedRange[] = [];
    for (const file of files) {
      const { source } = file;
      if (source === null) continue;
      for (const { from, to } of file.dropped) {
        context.signal.throwIfAborted();
        ranges.push({ file: file.path, from, to, at: bytes.size });
        await copyOf(source, from, to)(hashed);
      }
    }
    const sha256 = hash.digest('hex');
    const report = { path, indexPath: `${path}.json`, bytes: bytes.size, sha256, ranges };
    const text = { schemaVersion: 1, bytes: bytes.size, sha256, ranges };
    index.write(Buffer.from(`${JSON.stringify(text, null, 2)}\n`));
    await bytes.publish();
    this.published.push(path);
    await index.publish();
    this.published.push(report.indexPath);
    return report;
  }

  /** Takes everything back, what is visible included: for when the repair did not come about. Never throws. */
  async discard(): Promise<void> {
    await this.bytes.discard();
    await this.index.discard();
    for (const path of this.published) await this.disk.unlink(path).catch(() => {});
    this.published = [];
  }
}

function hashing(target: FileTarget, hash: ReturnType<typeof createHash>): ByteTarget {
  return {
    label: target.label,
    get size() {
      return target.size;
    },
    write(bytes) {
      hash.update(bytes);
      target.write(bytes);
    },
    get full() {
      return target.full;
    },
    drain: () => target.drain(),
    publish: () => target.publish(),
    discard: () => target.discard(),
  };
}
