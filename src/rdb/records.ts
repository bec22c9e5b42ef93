import { type PumpOptions, pumpSource } from '../bytes/pump.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { ByteSource } from '../bytes/source.js';
import type { Depth, KeyHead } from '../model/handler.js';
import type { KeyRecord } from '../model/value.js';
import { ValueCollector } from '../model/value-collector.js';
import type { WarningSink } from './codec.js';
import { RdbDecoder } from './decoder.js';
import type { DialectName } from './dialect.js';
import type { RdbHandler, RdbHeader, RdbSummary } from './handler.js';
import { decodeModuleValue, type ModuleLimits } from './modules/decode.js';
import type { RdbLimits } from './value-reader.js';

export interface ReadRdbOptions {
  readonly verifyChecksum: boolean;
  readonly deep: boolean;
  /** A batch is handed out when it has this many records or this many bytes of names and values. */
  readonly batchRecords: number;
  readonly batchBytes: number;
  readonly dialect?: DialectName | undefined;
  readonly limits?: RdbLimits | undefined;
  /** Whether to say what the values of known modules mean. Default: true. */
  readonly decodeModules?: boolean | undefined;
  readonly moduleLimits?: ModuleLimits | undefined;
  readonly onWarning?: WarningSink | undefined;
  readonly onHeader?: ((header: RdbHeader) => void) | undefined;
  /** Aux fields as text, one character per byte. */
  readonly onAux?: ((name: string, value: string) => void) | undefined;
  readonly onLibrary?: ((code: Buffer) => void) | undefined;
  readonly onEnd?: ((summary: RdbSummary) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((offset: number) => void) | undefined;
}

/**
 * Reads an RDB as batches of records that own their bytes. While a batch is with the caller nothing more is read than
 * one chunk ahead; leaving the loop early closes the source.
 *
 * @throws FormatError for bad bytes, after all batches before them; InputError when the source fails
 */
export async function* readRdb(
  source: ByteSource,
  options: ReadRdbOptions,
): AsyncGenerator<KeyRecord[], void, undefined> {
  const batches = new Batches(options);
  const decoder = new RdbDecoder(batches, options);
  const pumped = pumpSource(source, decoder, pumpOptions(options, batches)).then(
    () => batches.close(),
    (error: unknown) => batches.close(error),
  );
  try {
    for (let batch = await batches.next(); batch !== null; batch = await batches.next()) yield batch;
  } finally {
    batches.abandon();
    await pumped;
  }
}

function pumpOptions(options: ReadRdbOptions, batches: Batches): PumpOptions {
  return {
    drain: () => batches.handOver(),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.progress === undefined ? {} : { progress: options.progress }),
  };
}

/** Gathers records and passes them to one reader, which the decoder waits for when a batch is full. */
class Batches extends ValueCollector implements RdbHandler {
  private batch: KeyRecord[] = [];
  private bytes = 0;
  private insideKey = false;
  private closed = false;
  private abandoned = false;
  private error: unknown = null;
  private wakeReader: (() => void) | null = null;
  private wakeDecoder: (() => void) | null = null;

  constructor(private readonly options: ReadRdbOptions) {
    super(
      (record) => this.batch.push(record),
      options.decodeModules === false ? undefined : (value) => decodeModuleValue(value, options.moduleLimits),
    );
  }

  /** A batch holds whole records: in the middle of one there is room. */
  get full(): boolean {
    const { batchRecords, batchBytes } = this.options;
    return !this.insideKey && (this.batch.length >= batchRecords || this.bytes >= batchBytes);
  }

  /** The next batch; null at the end. @throws what the decoding failed with */
  async next(): Promise<KeyRecord[] | null> {
    this.wakeDecoder?.();
    while (!this.full && !this.closed) {
      await new Promise<void>((resolve) => {
        this.wakeReader = resolve;
      });
    }
    if (this.batch.length > 0) {
      const { batch } = this;
      this.batch = [];
      this.bytes = 0;
      return batch;
    }
    if (this.error !== null) throw this.error;
    return null;
  }

  /** Resolves when the reader has taken the batch. */
  async handOver(): Promise<void> {
    if (this.abandoned) throw new Abandoned();
    this.wakeReader?.();
    await new Promise<void>((resolve) => {
      this.wakeDecoder = resolve;
    });
    if (this.abandoned) throw new Abandoned();
  }

  close(error: unknown = null): void {
    this.closed = true;
    this.error = error;
    this.wakeReader?.();
  }

  abandon(): void {
    this.abandoned = true;
    this.wakeDecoder?.();
  }

  override key(head: KeyHead): Depth {
    this.insideKey = true;
    return super.key(head);
  }

  override keyEnd(head: KeyHead): void {
    super.keyEnd(head);
    this.bytes += this.sizeBytes;
    this.insideKey = false;
  }

  override functionLibrary(code: ByteSlice): void {
    this.options.onLibrary?.(code.copy());
  }

  header(header: RdbHeader): void {
    this.options.onHeader?.(header);
  }

  aux(name: ByteSlice, value: ByteSlice): void {
    this.options.onAux?.(name.latin1(), value.latin1());
  }

  resize(): void {}

  slotInfo(): void {}

  slotImport(): void {}

  moduleAux(): void {}

  end(summary: RdbSummary): void {
    this.options.onEnd?.(summary);
  }
}

/** Ends the pump when the reader left; nobody sees it. */
class Abandoned extends Error {}
