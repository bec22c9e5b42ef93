import type { FormatError } from '../errors.js';

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
