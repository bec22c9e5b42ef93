import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { AofFileEntry, AofSet } from '../../../aof/set.js';
import { threadCode } from '../../../bytes/embedded.js';
import { FileSource, type FileTicket } from '../../../bytes/source.js';
import { type ErrorDetail, FormatError } from '../../../errors.js';
import type { ToolContext } from '../../context.js';
import { Outgrown } from '../../rebuild.js';
import type { Part, PartReading, PartRequest } from './part.js';
import type { EncodeRequest, PartBlock, PartLosses } from './part-encoder.js';
import { PartsCrossed } from './part-gate.js';

/** A file of a log for another thread, which opens it by itself. */
export interface TaskFile extends Omit<AofFileEntry, 'source'> {
  readonly file: FileTicket;
}

/** What a thread is started with. Plain data. */
export interface PartTask {
  readonly directory: string;
  readonly manifestPath: string | null;
  readonly files: readonly TaskFile[];
  /** The patterns of the cut as their texts. */
  readonly request: Omit<PartRequest, 'cut'> & { readonly cut: Omit<PartRequest['cut'], 'before'> };
  readonly before: readonly string[];
  readonly nowMs: number;
}

/** What it says. */
export type PartMessage =
  | { readonly kind: 'progress'; readonly file: number; readonly done: number }
  | { readonly kind: 'reclaimed' }
  | { readonly kind: 'read'; readonly reading: PartReading }
  | ({ readonly kind: 'block' } & PartBlock)
  | { readonly kind: 'encoded'; readonly losses: PartLosses }
  | { readonly kind: 'failed'; readonly failure: PartFailure };

/** Why it could not go on. */
export interface PartFailure {
  readonly crossed: boolean;
  readonly message: string;
  /** Of a FormatError. */
  readonly format: {
    readonly code: string;
    readonly offset: number;
    readonly detail: ErrorDetail;
    readonly file: string;
    readonly trail: readonly string[];
  } | null;
}

/** What it is told: to turn what it read into blocks, that one of them was taken, and to collect its garbage. */
export type PartOrder =
  | { readonly kind: 'encode'; readonly request: EncodeRequest }
  | { readonly kind: 'taken' }
  | { readonly kind: 'reclaim' };

/** Blocks on their way from one thread to the other at most. */
export const BLOCKS_AHEAD = 16;

/** The thread that held a part is gone, for whatever reason. */
export class PartLost extends Error {
  override readonly name = 'PartLost';
}

/** A part held by a thread of its own. */
export class ThreadPart implements Part {
  private readonly worker: Worker;
  private readonly reading: Promise<PartReading>;
  private settle: { done: (reading: PartReading) => void; fail: (error: Error) => void } | null = null;
  private readonly inbox: PartMessage[] = [];
  private wake: (() => void) | null = null;
  private lost: Error | null = null;
  private reclaiming = false;

  private constructor(
    url: URL,
    private readonly task: PartTask,
    private readonly set: AofSet,
    private readonly context: ToolContext,
  ) {
    this.worker = new Worker(url, { workerData: task });
    this.reading = new Promise((done, fail) => {
      this.settle = { done, fail };
    });
    this.reading.catch(() => {});
    this.worker.on('message', (message: PartMessage) => this.hear(message));
    this.worker.once('error', (error) => this.lose(new PartLost(error.message)));
    this.worker.once('exit', () => this.lose(new PartLost('the second thread ended')));
  }

  /** Null where there is no second core, no compiled code for a thread, or a file that it cannot open by itself. */
  static async start(set: AofSet, request: PartRequest, context: ToolContext): Promise<ThreadPart | null> {
    const url = threadsCode();
    const files = url === null ? null : taskFiles(set);
    if (url === null || files === null) return null;
    const { before, ...cut } = request.cut;
    const { directory, manifestPath } = set;
    const task: PartTask = {
      ...{ directory, manifestPath, files, nowMs: context.nowMs },
      request: { ...request, cut },
      before: before.map(({ text }) => text),
    };
    return new ThreadPart(url, task, set, context);
  }

  read(): Promise<PartReading> {
    return this.reading;
  }

  async *blocks(request: EncodeRequest): AsyncGenerator<PartBlock, PartLosses> {
    this.order({ kind: 'encode', request });
    for (;;) {
      const message = this.inbox.shift();
      if (message?.kind === 'encoded') return message.losses;
      if (message?.kind === 'block') {
        this.order({ kind: 'taken' });
        yield message;
      } else if (this.lost !== null) {
        throw this.lost;
      } else {
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
    }
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private order(order: PartOrder): void {
    this.worker.postMessage(order);
  }

  private hear(message: PartMessage): void {
    if (message.kind === 'progress') this.advance(message.file, message.done);
    else if (message.kind === 'reclaimed') this.watchMemory();
    else if (message.kind === 'read') this.settle?.done(message.reading);
    else if (message.kind === 'failed') this.lose(errorOf(message.failure));
    else {
      this.inbox.push(message);
      this.wake?.();
    }
  }

  private advance(number: number, done: number): void {
    const { context, task } = this;
    const file = this.set.files[number]!;
    context.progress({ phase: 'replaying', label: file.path, done, total: task.files[number]!.file.size });
    if (context.heldBytes() <= context.memoryBytes || this.reclaiming) return;
    // What nobody uses any more counts until it is looked for, there and here.
    this.reclaiming = true;
    this.order({ kind: 'reclaim' });
  }

  /** It has collected its garbage: what is held now is needed. */
  private watchMemory(): void {
    const { context } = this;
    this.reclaiming = false;
    context.reclaim?.();
    const held = context.heldBytes();
    if (held <= context.memoryBytes) return;
    this.lose(new Outgrown(held, context.memoryBytes));
    void this.close();
  }

  private lose(error: Error): void {
    this.lost ??= error;
    this.settle?.fail(error);
    this.wake?.();
  }
}

/** Whether there is something to start a thread for a part from, and a core for it. */
export function threadsCode(): URL | null {
  if (availableParallelism() < 2) return null;
  return threadCode(new URL('./part-thread-entry.js', import.meta.url));
}

/** Null when some file is none of the file system's own. */
function taskFiles(set: AofSet): TaskFile[] | null {
  const files: TaskFile[] = [];
  for (const { source, ...entry } of set.files) {
    if (!(source instanceof FileSource)) return null;
    files.push({ ...entry, file: source.ticket });
  }
  return files;
}

function errorOf({ crossed, message, format }: PartFailure): Error {
  if (crossed) return new PartsCrossed();
  if (format === null) return new PartLost(message);
  const error = new FormatError(format.code, format.offset, format.detail).inFile(format.file);
  error.trail.push(...format.trail);
  return error;
}
