import type { FileSource } from '../../bytes/source.js';
import type { LogMeeting } from '../../salvage/log-meeting.js';
import { FileShare } from '../file-share.js';
import { type LossesBackTask, ThreadJob } from '../thread.js';
import type { LogLosses, OrderlyRest } from './log-losses.js';

/** Below this many bytes starting a thread costs more than it saves. */
const THREAD_FROM_BYTES = 128 * 1024 * 1024;
/** Small, so that both threads end at the same time, and as what a damage stands in is left to the one from the front. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** How to start the other thread, for tests. */
export interface LossesFrontSettings {
  readonly fromBytes?: number;
  readonly pieceBytes?: number;
  readonly startJob?: (task: LossesBackTask) => Pick<ThreadJob, 'result' | 'cancel'> | null;
}

/** Has a second thread survey a log from its end backwards, while this one does from the front, past every damage. */
export class LossesFront implements LogMeeting {
  upTo: number;
  metAt = -1;
  private rest: OrderlyRest = { commands: 0, guessedDatabase: 0 };
  private pieces = 0;

  private constructor(
    private readonly losses: LogLosses,
    private readonly job: Pick<ThreadJob, 'result' | 'cancel'>,
    private readonly share: FileShare,
  ) {
    this.upTo = share.endOf(0);
  }

  /** Starts it when the commands, which begin at `start`, are worth it and a thread can be had; else null. */
  static start(
    source: FileSource,
    start: number,
    losses: LogLosses,
    settings: LossesFrontSettings = {},
  ): LossesFront | null {
    const { fromBytes = THREAD_FROM_BYTES, pieceBytes = PIECE_BYTES, startJob = ThreadJob.start } = settings;
    const { ticket: file, size: end } = source;
    if (end - start < fromBytes) return null;
    const share = new FileShare(start, end, pieceBytes);
    const job = startJob({ kind: 'losses-back', file, start, end, pieceBytes, claimed: share.memory });
    return job === null ? null : new LossesFront(losses, job, share);
  }

  /** Bytes that either thread has begun with. */
  get takenBytes(): number {
    return this.share.takenBytes;
  }

  get restCommands(): number {
    return this.rest.commands;
  }

  takeMore(end: number): boolean {
    while (end >= this.upTo && this.share.claim()) this.upTo = this.share.endOf(++this.pieces);
    return end < this.upTo;
  }

  async join(): Promise<void> {
    const answer = await this.job.result();
    if (answer?.kind !== 'losses-back') {
      this.metAt = Number.POSITIVE_INFINITY;
      return;
    }
    this.metAt = answer.offset;
    this.rest = answer;
  }

  takeOver(): boolean {
    if (this.losses.transaction.open) return false;
    this.losses.adoptRest(this.rest);
    return true;
  }

  close(): Promise<void> {
    return this.job.cancel();
  }
}
