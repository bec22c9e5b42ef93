import { type PumpOptions, pumpSource } from '../bytes/pump.js';
import { sliceOf } from '../bytes/slice.js';
import { NdjsonDecoder } from '../ndjson/decoder.js';
import { RdbDecoder } from '../rdb/decoder.js';
import type { DialectName } from '../rdb/dialect.js';
import type { RdbHandler } from '../rdb/handler.js';
import type { ToolContext } from './context.js';
import type { Server } from './family.js';
import type { Rebuilt } from './rebuild.js';
import { namingFile } from './report.js';
import type { DatasetSource } from './source.js';

/** Who listens to a dataset from wherever. */
export interface DatasetListener extends RdbHandler {
  drain(): Promise<void>;
}

export interface TellOptions {
  readonly dialect: DialectName | null;
  /** At a command of a log that the engine does not know. */
  readonly onUnknown: 'stop' | 'skip';
  /** True when the source was read before and its checksum is right. */
  readonly verified?: boolean;
  /** How to read it. */
  readonly reading?: Pick<PumpOptions, 'rooms' | 'chunkBytes'>;
}

/** What a log that was executed for it leaves to say. */
export interface Told {
  /** Null when nothing had to be executed. */
  readonly dropped: Rebuilt['dropped'] | null;
  readonly skipped: Rebuilt['skipped'];
  readonly findings: Rebuilt['end']['findings'];
}

const NOTHING: Told = { dropped: null, skipped: [], findings: [] };

/**
 * Tells the dataset of a source. An RDB and NDJSON stream past; a log is executed and held in memory for it, and told
 * with the aux field that names the server which wrote its base.
 *
 * @throws DamageError when the source is damaged or holds an unknown command and `onUnknown` is 'stop'
 */
export async function tellSource(
  source: DatasetSource,
  listener: DatasetListener,
  options: TellOptions,
  context: ToolContext,
): Promise<Told> {
  if (source.kind === 'aof') {
    // The engine is most of the code there is, and files are converted without it.
    const { tellLog } = await import('./tell-log.js');
    return tellLog(source.set, listener, options, context);
  }
  const { bytes } = source;
  const machine =
    source.kind === 'ndjson'
      ? new NdjsonDecoder(listener)
      : new RdbDecoder(listener, {
          verifyChecksum: options.verified !== true,
          deep: false,
          ...(options.dialect !== null && { dialect: options.dialect }),
        });
  await namingFile(bytes.label, () =>
    pumpSource(bytes, machine, {
      signal: context.signal,
      ...options.reading,
      drain: () => listener.drain(),
      progress: (done) => context.progress({ label: bytes.label, done, total: bytes.size }),
    }),
  );
  return NOTHING;
}

/** Says who wrote what is told next, as an RDB does. */
export function tellProducer({ product, version }: Server, listener: DatasetListener): void {
  listener.aux(sliceOf(product === 'valkey' ? 'valkey-ver' : 'redis-ver'), sliceOf(version));
}
