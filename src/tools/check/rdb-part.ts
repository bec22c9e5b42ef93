import type { PumpOptions } from '../../bytes/pump.js';
import { type ByteReader, type ByteSource, FileSource } from '../../bytes/source.js';
import { TurnTakingReader } from '../../bytes/turns.js';
import type { ByteWindow, Machine, Progress } from '../../bytes/window.js';
import { FormatError } from '../../errors.js';
import type { InPlaceSums } from '../../kernels/crc64.js';
import { checksumText } from '../../rdb/checksum.js';
import { TRAILER_BYTES } from '../../rdb/constants.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import type { ToolContext } from '../context.js';
import type { FileCheckOptions } from '../report.js';
import { ThreadJob } from '../thread.js';
import { sumRange } from './checksum.js';
import { canGoOn } from './damage.js';
import { type FindingList, placeOf } from './findings.js';
import { createCheckKernel, NO_MEMORY, RdbCheck, type Standpoint } from './keys.js';
import { Suspects } from './names.js';
import { THREAD_FROM_BYTES } from './rdb-ahead.js';
import { RdbFront } from './rdb-front.js';
import { findKeysTwice, type OnTwice, readNames } from './twice.js';

/** Below this many bytes compiling what checks records costs more than it saves. */
const KERNEL_FROM_BYTES = 512 * 1024;

/** The RDB of a file: all of it, or what stands in front of its commands. */
export class RdbPart implements Machine {
  readonly check: RdbCheck;
  /** How the bytes are to be read when there is nothing else. */
  readonly reading: Pick<PumpOptions, 'rooms'> = {};
  /** Null before its first byte is looked at. */
  decoder: RdbDecoder | null = null;
  private job: ThreadJob | null = null;
  private front: RdbFront | null = null;
  private foreseenTrailer = -1;
  private inPlace: InPlaceSums | undefined;

  constructor(
    private readonly source: ByteSource,
    private readonly options: FileCheckOptions,
    private readonly findings: FindingList,
    private readonly context: ToolContext,
  ) {
    const { quick, watch } = options;
    this.check = new RdbCheck(findings, quick, () => this.standpoint, context, watch);
    const { size } = source;
    const isLarge = size === null || size >= KERNEL_FROM_BYTES;
    // Who watches wants to see every key.
    const kernel = isLarge && !quick && watch === undefined ? createCheckKernel() : null;
    if (kernel === null) return;
    this.check.hurry(kernel);
    this.reading = { rooms: kernel.rooms };
    this.inPlace = kernel.continueSum;
  }

  /** True when nothing but an RDB is expected. */
  get isAlone(): boolean {
    return this.options.form === 'rdb' || /\.rdb$/.test(this.source.label);
  }

  /** Opens the file for its one pass. */
  async open(): Promise<ByteReader> {
    const { source } = this;
    // Asking for bytes and waiting is half the time that it takes to look at them so.
    if (this.reading.rooms === undefined || !this.isAlone || !(source instanceof FileSource))
      return source.open();
    const reader = await source.openWaiting();
    reader.enter(0, source.size);
    return new TurnTakingReader(reader);
  }

  private get standpoint(): Standpoint {
    const { dialect, offset } = this.decoder!;
    const toldAt = this.front?.toldAt ?? -1;
    return { dialect, offset: toldAt < 0 ? offset : toldAt };
  }

  private begin(): RdbDecoder {
    const { options, findings, check } = this;
    this.startOtherThread();
    const decoder = new RdbDecoder(check, {
      verifyChecksum: this.job === null,
      inPlace: this.inPlace,
      deep: !options.quick,
      dialect: options.dialect ?? undefined,
      onWarning: (code, offset, detail) => findings.add(code, offset, detail, placeOf(decoder.head)),
    });
    return (this.decoder = decoder);
  }

  /** Only where nothing follows it can be foreseen where its trailer is. */
  private startOtherThread(): void {
    const { source, options, check } = this;
    if (!this.isAlone || !(source instanceof FileSource) || source.size < THREAD_FROM_BYTES) return;
    if (check.shortcut === null) this.startOtherReader(source);
    else this.front = RdbFront.start(source, options.dialect);
  }

  /** Has another thread read the file for its checksum and names. */
  private startOtherReader(source: FileSource): void {
    const { options, context } = this;
    this.foreseenTrailer = source.size - TRAILER_BYTES;
    const { ticket: file } = source;
    const memoryBytes = context.memoryBytes - context.heldBytes();
    this.job = options.quick
      ? ThreadJob.start({ kind: 'checksum', file, end: this.foreseenTrailer })
      : ThreadJob.start({ kind: 'names', file, dialect: options.dialect, memoryBytes });
    if (this.job !== null) this.check.forgetNames();
  }

  run(window: ByteWindow): Progress {
    const decoder = this.decoder ?? this.begin();
    return this.front === null ? decoder.run(window) : this.front.run(window, decoder, this.check);
  }

  finish(window: ByteWindow): void {
    (this.decoder ?? this.begin()).finish(window);
  }

  /** Waits for the other thread where both have met. */
  async meet(): Promise<void> {
    await this.front?.meet();
  }

  /** Bytes that this and the other thread have begun with. */
  get takenBytes(): number {
    return this.front?.takenBytes ?? 0;
  }

  /** Compares what the other thread summed with what the trailer holds. @throws FormatError when they differ */
  async compareChecksum(): Promise<void> {
    const { summary } = this.check;
    if (this.job === null || summary === null || summary.checksum !== 'unchecked') return;
    const { trailerOffset, storedHigh, storedLow } = summary;
    const answer = this.foreseenTrailer === trailerOffset ? await this.job.result() : null;
    // Whoever read the names compared it.
    if (answer?.kind === 'names') return;
    const sum =
      answer?.kind === 'checksum' ? answer : await sumRange(this.source, trailerOffset, this.context.signal);
    if (sum.high !== storedHigh || sum.low !== storedLow) {
      throw new FormatError('rdb/checksum-mismatch', trailerOffset, {
        stored: checksumText(storedHigh, storedLow),
        computed: checksumText(sum.high, sum.low),
      });
    }
  }

  /** Looks again for keys whose names may have come twice. */
  async compareNames(): Promise<void> {
    const { source, options, check, findings, context } = this;
    const suspects = check.summary === null || options.quick ? null : await this.suspects();
    if (suspects === null || suspects.size === 0) return;
    if (!canGoOn(source)) {
      check.leaveNames('some may stand twice, and a pipe cannot be read again to see');
      return;
    }
    const onTwice: OnTwice = (head, firstOffset) =>
      findings.add('rdb/duplicate-key', head.offset, { firstOffset }, placeOf(head));
    await findKeysTwice(source, options.dialect, suspects, onTwice, context);
  }

  private async suspects(): Promise<Suspects | null> {
    const { source, options, check, job, front } = this;
    const helper = front?.helper ?? null;
    if (job === null) return helper === null ? check.takeSuspects() : check.takeSuspectsWith(helper);
    const answer = await job.result();
    const found =
      answer?.kind === 'names'
        ? answer.suspects && new Suspects(answer.suspects)
        : (await readNames(source, options.dialect, this.context.memoryBytes)).suspects;
    if (found === null) check.leaveNames(NO_MEMORY);
    return found;
  }

  async close(): Promise<void> {
    await Promise.all([this.job?.cancel(), this.front?.close()]);
  }
}
