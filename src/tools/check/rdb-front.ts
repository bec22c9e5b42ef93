import type { FileSource } from '../../bytes/source.js';
import { type ByteWindow, END, NEED, PAUSE, type Progress } from '../../bytes/window.js';
import { FormatError } from '../../errors.js';
import { combineCrc64 } from '../../kernels/crc64.js';
import { checksumText } from '../../rdb/checksum.js';
import type { RdbDecoder } from '../../rdb/decoder.js';
import type { DialectName } from '../../rdb/dialect.js';
import { FileShare } from '../file-share.js';
import { ThreadJob, type ThreadTask } from '../thread.js';
import type { Joined, JoinHelper, NameJoinTask } from './kernel-names.js';
import type { RdbCheck } from './keys.js';
import { PIECE_BYTES, takeRdbAhead } from './rdb-ahead.js';
import type { RdbBack } from './rdb-back.js';

/** Something that checks from the back: another thread. */
export type RdbBackJob = Pick<ThreadJob, 'result' | 'again' | 'release' | 'cancel'>;

/** How to start it, for tests. */
export interface RdbFrontSettings {
  readonly pieceBytes?: number;
  readonly startJob?: (task: Extract<ThreadTask, { kind: 'rdb-back' }>) => RdbBackJob | null;
}

/**
 * Has a second thread check an RDB from its end backwards, while this one checks it from the front, and brings both
 * together where they meet: by then this one knows whether the other began at a record.
 */
export class RdbFront {
  /** Where the item stands that is being told again; -1: none is. */
  toldAt = -1;
  private pieces = 0;
  private upTo = 0;
  private meeting = false;
  private met = false;
  private done = false;
  private back: RdbBack | null = null;

  private constructor(
    private readonly source: FileSource,
    private readonly share: FileShare,
    private readonly job: RdbBackJob,
  ) {}

  /** Starts it when a thread can be had; else null. Nothing may follow the RDB. */
  static start(
    source: FileSource,
    dialect: DialectName | null,
    settings: RdbFrontSettings = {},
  ): RdbFront | null {
    const { pieceBytes = PIECE_BYTES, startJob = ThreadJob.start } = settings;
    const begun = dialect === null ? takeRdbAhead(source) : null;
    if (begun !== null) return new RdbFront(source, begun.share, begun.job);
    const { ticket: file, size } = source;
    const share = new FileShare(0, size, pieceBytes);
    const job = startJob({ kind: 'rdb-back', file, pieceBytes, claimed: share.memory, dialect });
    return job === null ? null : new RdbFront(source, share, job);
  }

  /** Bytes that either thread has begun with. */
  get takenBytes(): number {
    return this.share.takenBytes;
  }

  /**
   * Runs the decoder up to where the other thread began. PAUSE: `meet` is to be awaited; END: all is known of the file.
   *
   * @throws FormatError as the decoder does
   */
  run(window: ByteWindow, decoder: RdbDecoder, check: RdbCheck): Progress {
    const { share, back } = this;
    const { base, end } = window;
    while (base + end > this.upTo && !this.meeting && share.claim()) this.upTo = share.endOf(++this.pieces);
    if (base + end <= this.upTo) return decoder.run(window);
    window.end = Math.max(window.position, this.upTo - base);
    const progress = decoder.run(window);
    window.end = end;
    if (progress !== NEED) return progress;
    if (back === null) {
      this.meeting = true;
      return PAUSE;
    }
    this.back = null;
    this.upTo = Number.POSITIVE_INFINITY;
    if (!meets(window, decoder, back)) return decoder.run(window);
    this.adopt(back, window, decoder, check);
    return END;
  }

  /** Waits for the other thread. */
  async meet(): Promise<void> {
    if (!this.meeting || this.back !== null || this.upTo === Number.POSITIVE_INFINITY) return;
    const answer = await this.job.result();
    this.back = answer?.kind === 'rdb-back' ? answer.back : null;
    this.met = this.back !== null;
    this.upTo = this.back?.offset ?? Number.POSITIVE_INFINITY;
  }

  private adopt(back: RdbBack, window: ByteWindow, decoder: RdbDecoder, check: RdbCheck): void {
    const { summary, sum } = back;
    const { trailerOffset, storedHigh, storedLow } = summary;
    for (const piece of back.pieces) check.adopt(piece, (offset) => void (this.toldAt = offset));
    let { checksum } = summary;
    if (checksum === 'unchecked') {
      const { high, low } = decoder.checksum;
      const whole = { high, low };
      combineCrc64(whole, sum, trailerOffset - back.offset, whole);
      if (whole.high !== storedHigh || whole.low !== storedLow) {
        const stored = checksumText(storedHigh, storedLow);
        const computed = checksumText(whole.high, whole.low);
        throw new FormatError('rdb/checksum-mismatch', trailerOffset, { stored, computed });
      }
      checksum = 'ok';
    }
    check.end({ ...summary, checksum, keys: check.keys, dialect: decoder.dialect! });
    // As if it had been read to its end.
    window.position = window.end;
    window.base = this.source.size - window.end;
  }

  /** The other thread, where it has nothing else to do any more. */
  get helper(): JoinHelper | null {
    return this.met ? (task) => this.join(task) : null;
  }

  private async join(task: NameJoinTask): Promise<Joined | null> {
    this.job.again(task);
    const answer = await this.job.result();
    if (answer?.kind !== 'join-names') return null;
    this.done = true;
    return answer;
  }

  /** A thread that has answered all ends by itself: what it takes to give its memory back is not waited for. */
  async close(): Promise<void> {
    if (this.done) this.job.release();
    else await this.job.cancel();
  }
}

function meets(window: ByteWindow, decoder: RdbDecoder, { offset, product, version }: RdbBack): boolean {
  const { dialect } = decoder;
  const same = dialect?.name === product && dialect.version === version;
  return window.offset === offset && decoder.betweenRecords && same;
}
