import type { FileSource } from '../../bytes/source.js';
import { FileShare } from '../file-share.js';
import {
  type BackOfLog,
  type LogBackTask,
  type StrictBackTask,
  type ThreadAnswer,
  ThreadJob,
} from '../thread.js';

/** Below this many bytes, some sixty milliseconds, starting a thread costs more than it saves. */
const THREAD_FROM_BYTES = 128 * 1024 * 1024;
/** Small, so that both threads end at the same time; large beside what it takes to find a record in the middle of a log. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** What passes over commands is so fast that asking for bytes counts. */
export const SCAN_CHUNK_BYTES = 1024 * 1024;

/** Something that reads from the back: another thread. */
export type LogBackJob = Pick<ThreadJob, 'result' | 'cancel'>;

type BackTask = LogBackTask | StrictBackTask;
type BackOf<Task extends BackTask> = Omit<Task, keyof BackOfLog>;
type AnswerTo<Task extends BackTask> = Extract<ThreadAnswer, { kind: Task['kind'] }>;

/** How to start it, for tests. */
export interface LogFrontSettings<Task extends BackTask = LogBackTask> {
  readonly fromBytes?: number;
  readonly pieceBytes?: number;
  readonly startJob?: (task: Task) => LogBackJob | null;
}

/** What reads a log from the front. */
export interface FrontOfLog<Answer> {
  /** The first record that ends here or behind is told to `onReach`, and whether a transaction is open there. */
  passUpTo: number;
  onReach: (end: number, open: boolean) => void;
  /** True makes it wait, and with `stopped` end. */
  full: boolean;
  stopped: boolean;
  /** Takes over what was read of the rest of the log, all of it in order. */
  adopt(answer: Answer): void;
}

/**
 * Has a second thread read a log from its end backwards, while this one reads it from the front, and brings both
 * together where they meet: by then this one knows whether the other began at a record.
 */
export class LogFront<Task extends BackTask = LogBackTask> {
  private readonly share: FileShare;
  private pieces = 0;
  private end = 0;
  private open = false;

  private constructor(
    private readonly log: FrontOfLog<AnswerTo<Task>>,
    private readonly job: LogBackJob,
    share: FileShare,
  ) {
    this.share = share;
    log.passUpTo = share.endOf(0);
    log.onReach = (end, open) => this.reach(end, open);
  }

  /** Starts it when the commands, which begin at `start`, are worth it and a thread can be had; else null. */
  static start<Task extends BackTask>(
    source: FileSource,
    start: number,
    what: BackOf<Task>,
    log: FrontOfLog<AnswerTo<Task>>,
    settings: LogFrontSettings<Task> = {},
  ): LogFront<Task> | null {
    const { fromBytes = THREAD_FROM_BYTES, pieceBytes = PIECE_BYTES, startJob = ThreadJob.start } = settings;
    const { ticket: file, size: end } = source;
    if (end - start < fromBytes) return null;
    const share = new FileShare(start, end, pieceBytes);
    const place: BackOfLog = { file, start, end, pieceBytes, claimed: share.memory };
    const task = { ...what, ...place } as Task;
    const job = startJob(task);
    return job === null ? null : new LogFront(log, job, share);
  }

  /** Bytes that either thread has begun with. */
  get takenBytes(): number {
    return this.share.takenBytes;
  }

  private reach(end: number, open: boolean): void {
    const { log, share } = this;
    while (end >= log.passUpTo && share.claim()) log.passUpTo = share.endOf(++this.pieces);
    if (end < log.passUpTo) return;
    this.end = end;
    this.open = open;
    log.full = true;
    log.passUpTo = Number.POSITIVE_INFINITY;
  }

  /** Waits for the other thread, then goes on to where it came. */
  async meet(): Promise<void> {
    const { log, job } = this;
    const answer = await job.result();
    log.full = false;
    if (answer?.kind !== 'log-back' && answer?.kind !== 'strict-back') return;
    const arrive = (end: number, open: boolean): void => {
      log.passUpTo = Number.POSITIVE_INFINITY;
      if (end !== answer.offset || open) return;
      log.adopt(answer as AnswerTo<Task>);
      log.full = log.stopped = true;
    };
    if (this.end >= answer.offset) {
      arrive(this.end, this.open);
    } else {
      log.passUpTo = answer.offset;
      log.onReach = arrive;
    }
  }

  close(): Promise<void> {
    return this.job.cancel();
  }
}
