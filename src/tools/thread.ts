import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { threadCode } from '../bytes/embedded.js';
import type { FileTicket } from '../bytes/source.js';
import type { DialectName } from '../rdb/dialect.js';
import type { Joined, NameJoinTask } from './check/kernel-names.js';
import type { LogCounts } from './check/log.js';
import type { RdbBack } from './check/rdb-back.js';
import type { StrictLines } from './checkers/strict-scan.js';
import type { SharedEntries } from './diff/entry-store.js';
import type { JoinedParts, Repeated } from './diff/join.js';
import type { Seeds } from './diff/names.js';
import type { Notes } from './diff/notes.js';
import type { PassagesTold } from './diff/passages.js';
import type { Slab } from './diff/slabs.js';
import type { OrderlyRest } from './repair/log-losses.js';

/** What a second thread can do. It reads the file by itself, so that only numbers and hashes cross threads. */
export type ThreadTask =
  /** Sum the bytes of `file` from 0 up to `end`. */
  | { readonly kind: 'checksum'; readonly file: FileTicket; readonly end: number }
  /** Read the names and the checksum of the RDB in `file`, with so much memory for the names. */
  | {
      readonly kind: 'names';
      readonly file: FileTicket;
      readonly dialect: DialectName | null;
      readonly memoryBytes: number;
    }
  | LogBackTask
  | StrictBackTask
  | LossesBackTask
  /**
   * Check the RDB in `file` from its end backwards, piece by piece, until no piece is left to claim.
   * Then stay, unless there is nothing to answer, for names to join.
   */
  | {
      readonly kind: 'rdb-back';
      readonly file: FileTicket;
      readonly pieceBytes: number;
      readonly claimed: SharedArrayBuffer;
      readonly dialect: DialectName | null;
    }
  /** Make an entry of every key of the RDB in `file`: of values by their `bytes`, or by what they mean. Then stay for notes. */
  | {
      readonly kind: 'entries';
      readonly file: FileTicket;
      readonly dialect: DialectName | null;
      readonly bytes: boolean;
      readonly seeds: Seeds;
    };

/** Asked of the thread that made the entries: keys of that file whose names these are, three words each. */
export interface NotesTask {
  readonly kind: 'notes';
  readonly dialect: DialectName | null;
  readonly seeds: Seeds;
  readonly names: Int32Array;
  readonly repeated: Repeated;
  /** Parts of the file that none of them stands in. */
  readonly skips: Float64Array;
}

/** Asked of it before that: compare the parts from there on, as long as few names differ. */
export interface JoinTask {
  readonly kind: 'join';
  readonly from: number;
  readonly before: SharedEntries;
  readonly after: SharedEntries;
  /** As for `EntryJoin`. */
  readonly counting: boolean;
}

/** What is read of the log in `file` from `end` backwards, piece by piece, until no piece is left to claim. */
export interface BackOfLog {
  readonly file: FileTicket;
  readonly start: number;
  readonly end: number;
  readonly pieceBytes: number;
  /** As FileShare counts. */
  readonly claimed: SharedArrayBuffer;
}

/** Check it. */
export interface LogBackTask extends BackOfLog {
  readonly kind: 'log-back';
  readonly quick: boolean;
}

/** Survey it for a repair. */
export interface LossesBackTask extends BackOfLog {
  readonly kind: 'losses-back';
}

/** Read it by the rules of redis-check-aof, as far as no annotation is later than `time` in unix seconds; 0: whatever they are. */
export interface StrictBackTask extends BackOfLog {
  readonly kind: 'strict-back';
  readonly time: bigint;
}

/** What it answers. */
export type ThreadAnswer =
  | { readonly kind: 'checksum'; readonly high: number; readonly low: number }
  /** Only of a file without damage: its checksum is right, or it has none. `suspects`: as `NamesRead` has them. */
  | { readonly kind: 'names'; readonly suspects: readonly number[] | null }
  /** If a record starts at `offset`, outside any transaction, the log is in order from there on, and holds so much. */
  | ({ readonly kind: 'log-back'; readonly offset: number } & LogCounts)
  /** The same for a salvager: nothing in it is lost. */
  | ({ readonly kind: 'losses-back'; readonly offset: number } & OrderlyRest)
  /** The same by the rules of redis-check-aof. */
  | ({ readonly kind: 'strict-back'; readonly offset: number } & StrictLines)
  /** Null: it could not begin. */
  | { readonly kind: 'rdb-back'; readonly back: RdbBack | null }
  | ({ readonly kind: 'join-names' } & Joined)
  /** So many blocks of entries in a slab, to be answered by `post`. Any number come before the end. */
  | { readonly kind: 'blocks'; readonly slab: Slab; readonly blocks: number }
  /** The file was read to its end: what is left of each part, and what it told besides keys, a character a byte. */
  | {
      readonly kind: 'entries';
      readonly last: readonly { readonly part: number; readonly entries: Uint8Array }[];
      readonly libraries: readonly string[];
      readonly aux: readonly (readonly [name: string, value: string])[];
      readonly passages: PassagesTold;
    }
  /** Null: many names differ, so it is done elsewhere. */
  | { readonly kind: 'joined'; readonly joined: JoinedParts | null }
  | { readonly kind: 'notes'; readonly notes: Notes };

const PARTIAL: ReadonlySet<ThreadAnswer['kind']> = new Set(['blocks']);

/** A task under way on another thread. */
export class ThreadJob {
  private readonly worker: Worker;
  private outcome: Promise<ThreadAnswer | null>;
  private settle: (answer: ThreadAnswer | null) => void = () => {};
  private ended = false;
  private listener: (answer: ThreadAnswer) => void = () => {};

  private constructor(url: URL, task: ThreadTask) {
    this.worker = new Worker(url, { workerData: task, resourceLimits: { maxYoungGenerationSizeMb: 2 } });
    this.outcome = this.answer();
    this.worker.on('message', (answer: ThreadAnswer) => {
      if (PARTIAL.has(answer.kind)) this.listener(answer);
      else this.settle(answer);
    });
    // Whatever went wrong there, the thread that asked can still do it by itself.
    const end = (): void => {
      this.ended = true;
      this.settle(null);
    };
    this.worker.once('error', end);
    this.worker.once('exit', end);
  }

  private answer(): Promise<ThreadAnswer | null> {
    return new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /**
   * Starts the task where a second core is there to do it, and compiled code to start a thread from; else null.
   */
  static start(task: ThreadTask): ThreadJob | null {
    if (availableParallelism() < 2) return null;
    const url = threadCode(new URL('./thread-entry.js', import.meta.url));
    return url === null ? null : new ThreadJob(url, task);
  }

  /** Says who is told of answers before the final one. */
  listen(listener: (answer: ThreadAnswer) => void): this {
    this.listener = listener;
    return this;
  }

  /** Says that a slab was taken, and gives one that may be used for another, if there is one. */
  post(spare: Slab | null): void {
    this.worker.postMessage(spare);
  }

  /** Gives a thread that goes on after its answer another task; `result` is the answer to that one then. */
  again(task: JoinTask | NotesTask | NameJoinTask): void {
    this.outcome = this.ended ? Promise.resolve(null) : this.answer();
    this.worker.postMessage(task);
  }

  /** No process waits for it, until it is held again. */
  release(): void {
    this.worker.unref();
  }

  hold(): void {
    this.worker.ref();
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
