import type { Disk } from '../bytes/disk.js';
import type { OutputPacking } from '../bytes/packing-target.js';
import type { ByteTarget } from '../bytes/target.js';
import { UsageError } from '../errors.js';
import type { DialectName } from '../rdb/dialect.js';
import type { RdbTarget } from '../rdb/writer-target.js';
import type { ToolContext } from './context.js';
import { Conversion } from './convert/conversion.js';
import type { ConvertForm } from './convert/forms.js';
import type { OnDuplicate } from './convert/sink.js';
import type { Split } from './convert/split.js';
import { mayJoin, type Transforms } from './convert/transform.js';
import type { KeyConditions } from './filter.js';
import { realPlace, refuseInside } from './output-place.js';
import { asLog, type DatasetSource } from './source.js';
import type { Told } from './tell-source.js';
import type { Loss } from './write-dataset.js';

export interface ConvertOptions {
  readonly path: string;
  readonly form: ConvertForm;
  /** The server the output is for; null: the one that wrote the first source. */
  readonly target: RdbTarget | null;
  readonly conditions: KeyConditions;
  readonly transforms: Transforms;
  readonly split: Split | null;
  readonly onDuplicate: OnDuplicate;
  readonly dialect: DialectName | null;
  readonly onUnknown: 'stop' | 'skip';
  /** Write an RDB as Valkey's compressed stream. */
  readonly compressedStream: boolean;
  /** How each output is compressed as a whole; null: not at all. */
  readonly packing: OutputPacking | null;
  /** Replace what stands at the output. */
  readonly force: boolean;
  /** Publish nothing when something was lost. */
  readonly refuseLoss: boolean;
  /** Where `-` goes; null: nowhere. */
  readonly stream: ByteTarget | null;
  /** How a key is shown in an error; one character per byte. */
  readonly shown: (name: string) => string;
  /** Where outputs are written; default: the file system. */
  readonly disk?: Disk;
}

export interface ConvertedOutput {
  readonly path: string;
  readonly keys: number;
  readonly bytes: number;
  /** Where a directory that stood there was moved; null when there was none. */
  readonly backupPath: string | null;
}

export interface ConvertReport {
  readonly form: ConvertForm;
  /** The server it is written for; null for forms that none loads. */
  readonly target: string | null;
  readonly published: boolean;
  /** Sums over all outputs. */
  readonly keys: number;
  readonly bytes: number;
  readonly outputs: readonly ConvertedOutput[];
  readonly lost: readonly Loss[];
  /** Losses in all; `lost` lists the first of them. */
  readonly lostCount: number;
  /** Keys left out because one of the same name came before, and because no part of the split was theirs. */
  readonly duplicates: number;
  readonly unrouted: number;
  /** Paths of sources that have keys, none of which the conditions mean. */
  readonly unmatched: readonly string[];
  /** By source, what executing its log left to say. */
  readonly told: readonly Told[];
}

/**
 * Writes one dataset, or several merged into one, in another form, for another server, or in parts. Outputs appear whole
 * when all of them are complete. An RDB and NDJSON stream through; a log is held in memory, and so are the names of keys
 * where two could be the same (several sources, other names or databases).
 *
 * @throws DamageError when a source is damaged, UsageError for what cannot be, OutputError when writing fails
 */
export async function convert(
  sources: readonly DatasetSource[],
  options: ConvertOptions,
  context: ToolContext,
): Promise<ConvertReport> {
  const { onDuplicate, transforms } = options;
  if (onDuplicate === 'last' && mayJoin(transforms)) {
    throw new UsageError(
      '--on-duplicate last cannot be kept where --rename or --map-db make two keys one',
      'give --on-duplicate first, or error to hear of the first such key',
    );
  }
  for (const source of sources) await refuseSource(options.path, source);
  const conversion = new Conversion(options, context, sources.length > 1 || mayJoin(transforms));
  try {
    await conversion.takeOutputs(sources);
    // The last of several is the first that is met from the other end.
    const order = onDuplicate === 'last' ? [...sources].reverse() : sources;
    for (const source of order) await conversion.take(source);
    return await conversion.finish();
  } finally {
    await conversion.close();
  }
}

async function refuseSource(path: string, source: DatasetSource): Promise<void> {
  if (path === '-') return;
  if (source.kind !== 'ndjson') return refuseInside(path, source, await asLog(source), '');
  if ((await realPlace(path)) === (await realPlace(source.path))) {
    throw new UsageError(`${path} is the source`, 'write somewhere else: a source is never changed');
  }
}
