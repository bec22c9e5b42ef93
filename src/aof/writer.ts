import { join } from 'node:path';
import { DirectoryTarget } from '../bytes/directory-target.js';
import type { Disk } from '../bytes/disk.js';
import type { ByteReader, ByteSource } from '../bytes/source.js';
import { type ByteTarget, ChunkedTarget, FileTarget } from '../bytes/target.js';
import { assert } from '../errors.js';
import { formatManifest, type ManifestLine } from './manifest.js';

/** Puts the content of one file into a target: drains it whenever it is full, publishes nothing. */
export type WriteContent = (target: ByteTarget) => Promise<void>;

/** The files of an AOF directory, before their names are made. */
export interface AofPlan {
  /** The `appendfilename` of the server it is for: `appendonly.aof` unless configured. */
  readonly filename: string;
  readonly base: {
    readonly seq: number;
    readonly format: 'rdb' | 'aof';
    readonly write: WriteContent;
  } | null;
  /** In order, each `seq` above the one before. Servers append to the last, so there should be one, if only empty. */
  readonly increments: readonly { readonly seq: number; readonly write: WriteContent }[];
}

export interface WrittenFile {
  /** Base name. */
  readonly name: string;
  readonly bytes: number;
}

/** Writes nothing: what a fresh increment holds. */
export const nothing: WriteContent = () => Promise.resolve();

/** Copies the source from `start` up to `end`, its whole rest when null. */
export function copyOf(source: ByteSource, start = 0, end: number | null = null): WriteContent {
  return async (target) => {
    const reader = await source.open(start);
    try {
      const bytes = (end ?? source.size ?? Number.POSITIVE_INFINITY) - start;
      const isLarge = bytes >= THROUGH_FROM_BYTES && target instanceof ChunkedTarget;
      const wanted = end === null ? Number.POSITIVE_INFINITY : end - start;
      const left = await (isLarge ? copyThrough : copyChunks)(reader, wanted, target as ChunkedTarget);
      assert(left <= 0 || end === null, `${source.label} is shorter than what was to be copied of it`);
    } finally {
      await reader.close();
    }
  };
}

/** From so many bytes on two large buffers are worth their memory: every trip to the system costs. */
const THROUGH_FROM_BYTES = 8 * 1024 * 1024;
const THROUGH_CHUNK = 1024 * 1024;
const CHUNK = 256 * 1024;

/** Both copy `left` bytes, as far as there are, and return how many were missing. */
async function copyChunks(reader: ByteReader, left: number, target: ByteTarget): Promise<number> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  while (left > 0) {
    const count = await reader.read(left < chunk.length ? chunk.subarray(0, left) : chunk);
    if (count === 0) break;
    target.write(count === chunk.length ? chunk : chunk.subarray(0, count));
    left -= count;
    if (target.full) await target.drain();
  }
  return left;
}

/** One buffer is read into while the other is written. */
async function copyThrough(reader: ByteReader, left: number, target: ChunkedTarget): Promise<number> {
  let into = Buffer.allocUnsafeSlow(THROUGH_CHUNK);
  let other = Buffer.allocUnsafeSlow(THROUGH_CHUNK);
  let writing = Promise.resolve();
  while (left > 0) {
    const count = await reader.read(left < into.length ? into.subarray(0, left) : into);
    await writing;
    if (count === 0) break;
    left -= count;
    writing = target.writeThrough(into.subarray(0, count));
    // Told by the next wait for it.
    writing.catch(() => {});
    [into, other] = [other, into];
  }
  await writing;
  return left;
}

/**
 * Writes the files of a plan and, last, their manifest into a directory being built; `folder` is where in it, `''` for
 * the directory itself. Publishing the directory is the caller's.
 *
 * @throws OutputError, and whatever the writers of content throw
 */
export async function writeAofFiles(
  directory: DirectoryTarget,
  folder: string,
  plan: AofPlan,
): Promise<WrittenFile[]> {
  const { filename, base, increments } = plan;
  assert(/^[^/\\\0]+$/.test(filename), 'an append-only file is named by a base name');
  const written: WrittenFile[] = [];
  const put = async (name: string, write: WriteContent) => {
    const target = await directory.file(join(folder, name));
    await write(target);
    await target.publish();
    written.push({ name, bytes: target.size });
  };
  const line = (name: string, seq: number, type: ManifestLine['type']): ManifestLine => ({
    name: Buffer.from(name, 'utf8').latin1Slice(),
    seq,
    type,
  });

  const lines: { base: ManifestLine | null; increments: ManifestLine[] } = { base: null, increments: [] };
  if (base !== null) {
    const name = `${filename}.${base.seq}.base.${base.format}`;
    await put(name, base.write);
    lines.base = line(name, base.seq, 'b');
  }
  let before = 0;
  for (const { seq, write } of increments) {
    assert(seq > before, 'increments are numbered upwards from 1');
    before = seq;
    const name = `${filename}.${seq}.incr.aof`;
    await put(name, write);
    lines.increments.push(line(name, seq, 'i'));
  }
  await put(`${filename}.manifest`, async (target) => target.write(formatManifest(lines)));
  return written;
}

export interface WriteOptions {
  /** Replace what stands there; a directory is put aside. */
  readonly force: boolean;
  readonly disk?: Disk;
}

/** An AOF directory that appears under `path` complete or not at all. @throws UsageError OutputError */
export async function writeAofDirectory(
  path: string,
  plan: AofPlan,
  options: WriteOptions,
): Promise<WrittenFile[]> {
  const directory = await DirectoryTarget.create(path, options);
  try {
    const written = await writeAofFiles(directory, '', plan);
    await directory.publish();
    return written;
  } finally {
    await directory.discard();
  }
}

/** One append-only file as servers before 7.0 have it. @throws UsageError OutputError */
export async function writeAofFile(
  path: string,
  write: WriteContent,
  options: WriteOptions,
): Promise<number> {
  const target = await FileTarget.create(path, options);
  try {
    await write(target);
    await target.publish();
    return target.size;
  } finally {
    await target.discard();
  }
}
