import { type ByteSource, readHead } from '../../bytes/source.js';
import { packingOf } from '../../bytes/unpack.js';
import type { FormatError } from '../../errors.js';

/** What the stand-ins for redis-check-aof and redis-check-rdb need from whoever runs them, besides a context. */
export interface CheckerHost {
  /** Takes a result line, without its line feed. */
  line(text: string): void;
  /** Takes a remark that is no result: what the originals do not say. */
  note(text: string): void;
  /** Asks whether to go on. */
  confirm(): Promise<boolean>;
  /** A path as it may be printed. */
  path(path: string): string;
  /** Bytes of a file, one character per byte, as they may be printed. */
  bytes(latin1: string): string;
  /** What is wrong with a file, in one sentence. */
  reason(error: FormatError): string;
}

/**
 * Says of a compressed file what it is, and returns true: the originals read none, tell only that it is no log or RDB,
 * and cut it where it ceases to be one, which is at its first byte.
 */
export async function noteIfPacked(path: string, source: ByteSource, host: CheckerHost): Promise<boolean> {
  const packing = packingOf(await readHead(source, 4));
  if (packing === null) return false;
  const what = packing === 'vcs' ? "Valkey's compressed stream" : `compressed (${packing})`;
  host.note(
    `${host.path(path)}: is ${what}, which is not read here as the original reads none: try rekindle check`,
  );
  return true;
}
