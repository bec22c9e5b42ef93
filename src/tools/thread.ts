import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { DialectName } from '../rdb/dialect.js';
import type { LogCounts } from './check-log.js';

/** What a second thread can do for a check. It reads the file by itself, so that only numbers cross threads. */
export type ThreadTask =
  /** Sum the bytes of `path` from 0 up to `end`. */
  | { readonly kind: 'checksum'; readonly path: string; readonly end: number }
  /** Read the names and the checksum of the RDB at `path`, with so much memory for the names. */
  | {
      readonly kind: 'names';
      readonly path: string;
      readonly dialect: DialectName | null;
      readonly memoryBytes: number;
    }
  /** Find a place behind `middle` where a record seems to start, and check the log from there to its end. */
  | { readonly kind: 'log-half'; readonly path: string; readonly middle: number; readonly quick: boolean };

/** What it answers. */
export type ThreadAnswer =
  | { readonly kind: 'checksum'; readonly high: number; readonly low: number }
  /** Only of a file without damage: its checksum is right, or it has none. `suspects`: as `NamesRead` has them. */
  | { readonly kind: 'names'; readonly suspects: readonly number[] | null }
  /** Sent as soon as the place is found. */
  | { readonly kind: 'log-start'; readonly offset: number }
  /** `clean`: every record up to the end of the file was read, without a flaw and outside any open transaction. */
  | ({ readonly kind: 'log-half'; readonly clean: boolean } & LogCounts);

/** A task under way on another thread. */
export class ThreadJob {
  private readonly worker: Worker;
  private readonly outcome: Promise<ThreadAnswer | null>;

  private constructor(url: URL, task: ThreadTask, onStart: (offset: number) => void) {
    this.worker = new Worker(url, { workerData: task });
    this.outcome = new Promise((resolve) => {
      this.worker.on('message', (answer: ThreadAnswer) => {
        if (answer.kind === 'log-start') onStart(answer.offset);
        else resolve(answer);
      });
      // Whatever went wrong there, the thread that asked can still do it by itself.
      this.worker.once('error', () => resolve(null));
      this.worker.once('exit', () => resolve(null));
    });
  }

  /**
   * Starts the task where a second core is there to do it, and compiled code to start a thread from; else null.
   * `onStart` is told the offset of a `log-start`.
   */
  static start(task: ThreadTask, onStart: (offset: number) => void = () => {}): ThreadJob | null {
    if (availableParallelism() < 2) return null;
    const url = new URL('./thread-entry.js', import.meta.url);
    return existsSync(fileURLToPath(url)) ? new ThreadJob(url, task, onStart) : null;
  }

  /** The final answer, or null when there is none. */
  result(): Promise<ThreadAnswer | null> {
    return this.outcome;
  }

  /** Ends the thread, finished or not. */
  async cancel(): Promise<void> {
    await this.worker.terminate();
  }
}
