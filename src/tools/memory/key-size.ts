import type { KeyHead } from '../../model/handler.js';

/** What one key takes. One object is reused for all keys. */
export interface KeySize {
  /** Bytes of its record in the RDB; 0 where there is none. */
  readonly fileBytes: number;
  /** What `MEMORY USAGE key SAMPLES 0` of Redis 7.0 says, estimated. */
  readonly memoryBytes: number;
  /** Elements, members, fields or entries; 1 for what has none. */
  readonly elements: number;
  /** As OBJECT ENCODING would say it. */
  readonly encoding: string;
}

/** Who takes the sizes of keys, one after the other. */
export interface KeySizeListener {
  /** The head is borrowed, and so is the size. */
  key(head: KeyHead, size: KeySize): void;
}
