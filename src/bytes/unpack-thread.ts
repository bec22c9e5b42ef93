import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ErrorDetail, FormatError, InputError } from '../errors.js';
import { threadCode } from './embedded.js';
import type { ByteReader, FileSource } from './source.js';
import type { Packing } from './unpack.js';

/** What a thread is to unpack: it reads the file by itself. */
export interface UnpackTask {
  readonly path: string;
  readonly packing: Packing;
  /** Plain bytes to leave out. */
  readonly start: number;
}

/** What it sends: plain bytes in memory that changes hands, the end, or what is wrong with the file. */
export type UnpackMessage =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end' }
  | { readonly kind: 'format'; readonly code: string; readonly offset: number; readonly detail: ErrorDetail }
  | {
      readonly kind: 'input';
      readonly code: string;
      readonly path: string;
      readonly message: string;
      readonly hint: string;
    };

/** Bytes per message, and how many messages may be on their way: memory that goes to and fro. */
export const UNPACK_CHUNK = 512 * 1024;
const CHUNKS = 4;
/** Below this many packed bytes starting a thread costs more than it saves. */
const THREAD_FROM_BYTES = 8 * 1024 * 1024;

/** Unpacks a file on a second thread, ahead of whoever reads. */
export class UnpackThread implements ByteReader {
  private readonly worker: Worker;
  private readonly arrived: UnpackMessage[] = [];
  private current: Uint8Array<ArrayBuffer> | null = null;
  private taken = 0;
  private delivered = 0;
  private failed = false;
  private closed = false;
  private wake: () => void = () => {};
  private fallback: ByteReader | null = null;

  private constructor(
    url: URL,
    private readonly task: UnpackTask,
    /** Opens the same bytes on this thread: for when the other comes to nothing. */
    private readonly openHere: (start: number) => Promise<ByteReader>,
    private readonly atEnd: (size: number) => void,
  ) {
    this.worker = new Worker(url, { workerData: task });
    this.worker.on('message', (message: UnpackMessage) => {
      this.arrived.push(message);
      this.wake();
    });
    const fail = () => {
      this.failed = true;
      this.wake();
    };
    this.worker.once('error', fail);
    this.worker.once('exit', fail);
    for (let i = 0; i < CHUNKS; i++) this.giveBack(new Uint8Array(UNPACK_CHUNK));
  }

  /** Starts where a second core is there, and compiled code to start a thread from; null otherwise. */
  static start(
    source: FileSource,
    task: Omit<UnpackTask, 'path'>,
    openHere: (start: number) => Promise<ByteReader>,
    atEnd: (size: number) => void,
  ): UnpackThread | null {
    if (source.size < THREAD_FROM_BYTES || availableParallelism() < 2) return null;
    const url = threadCode(new URL('./unpack-thread-entry.js', import.meta.url));
    if (url === null) return null;
    return new UnpackThread(url, { ...task, path: source.label }, openHere, atEnd);
  }

  async read(into: Uint8Array): Promise<number> {
    for (;;) {
      if (this.fallback !== null) return this.fallback.read(into);
      if (this.closed) return 0;
      const { current } = this;
      if (current !== null) {
        const count = Math.min(into.length, current.length - this.taken);
        into.set(current.subarray(this.taken, this.taken + count));
        this.taken += count;
        this.delivered += count;
        if (this.taken === current.length) {
          // No view of it may be used any more: the memory changes hands.
          this.giveBack(current);
          this.current = null;
        }
        return count;
      }
      const message = this.arrived.shift();
      if (message?.kind === 'bytes') {
        this.current = message.bytes;
        this.taken = 0;
      } else if (message !== undefined) {
        // Ends and errors stay: whoever reads again is told again.
        this.arrived.unshift(message);
        return this.end(message);
      } else if (this.failed) {
        this.fallback = await this.openHere(this.task.start + this.delivered);
      } else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }

  private end(message: Exclude<UnpackMessage, { kind: 'bytes' }>): 0 {
    if (message.kind === 'format') throw new FormatError(message.code, message.offset, message.detail);
    if (message.kind === 'input') {
      throw new InputError(message.code, message.path, message.message, message.hint);
    }
    this.atEnd(this.task.start + this.delivered);
    return 0;
  }

  private giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    this.worker.postMessage(buffer, [buffer]);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.wake();
    await this.fallback?.close();
    await this.worker.terminate();
  }
}
