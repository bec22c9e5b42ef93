import type * as Hyparquet from 'hyparquet-writer';
import type { ByteTarget } from '../../bytes/target.js';
import { UsageError } from '../../errors.js';

/** What is used of the package. */
export type ParquetPackage = Pick<typeof Hyparquet, 'ByteWriter' | 'ParquetWriter'>;

const PACKAGE = 'hyparquet-writer';

/**
 * The package that writes Parquet, loaded when the first output asks for it.
 *
 * @throws UsageError when it is not installed
 */
export async function loadParquet(
  load: () => Promise<ParquetPackage> = () => import('hyparquet-writer'),
): Promise<ParquetPackage> {
  try {
    return await load();
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    const why = isAbsent
      ? 'is not installed'
      : `cannot be loaded: ${(error as Error).message.split('\n')[0]}`;
    throw new UsageError(
      `writing Parquet takes the package ${PACKAGE}, which ${why}`,
      `npm install ${PACKAGE} (with -g where rekindle was installed so), or give --to ndjson`,
    );
  }
}

/** How a column is held, and whether a row may lack it. */
interface ColumnKind {
  readonly type: 'INT32' | 'INT64' | 'BYTE_ARRAY';
  readonly converted_type?: 'UTF8';
  readonly repetition_type: 'REQUIRED' | 'OPTIONAL';
}

const INT32: ColumnKind = { type: 'INT32', repetition_type: 'REQUIRED' };
const INT64: ColumnKind = { type: 'INT64', repetition_type: 'REQUIRED' };
const MAYBE_INT32: ColumnKind = { type: 'INT32', repetition_type: 'OPTIONAL' };
const MAYBE_INT64: ColumnKind = { type: 'INT64', repetition_type: 'OPTIONAL' };
const TEXT: ColumnKind = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' };
const MAYBE_TEXT: ColumnKind = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' };
const MAYBE_BYTES: ColumnKind = { type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' };

/** Columns in their order. */
const COLUMNS = {
  db: INT32,
  key: MAYBE_TEXT,
  key_bytes: MAYBE_BYTES,
  type: TEXT,
  encoding: MAYBE_TEXT,
  expires_at_ms: MAYBE_INT64,
  idle_seconds: MAYBE_INT64,
  freq: MAYBE_INT32,
  elements: MAYBE_INT64,
  size: INT64,
  value: MAYBE_TEXT,
  value_bytes: MAYBE_BYTES,
} as const satisfies Record<string, ColumnKind>;

type ColumnName = keyof typeof COLUMNS;
const NAMES = Object.keys(COLUMNS) as ColumnName[];
/** Columns whose smallest and largest value help nobody to skip a group. */
const WITHOUT_RANGE: ReadonlySet<ColumnName> = new Set(['key_bytes', 'value', 'value_bytes']);

/** One key. Texts are UTF-8, as strings or as their bytes; bytes are kept until the group is written. */
export interface ParquetRow {
  readonly db: number;
  readonly key: Uint8Array | null;
  readonly key_bytes: Uint8Array | null;
  readonly type: string;
  readonly encoding: string | null;
  readonly expires_at_ms: bigint | null;
  readonly idle_seconds: bigint | null;
  readonly freq: number | null;
  readonly elements: bigint | null;
  readonly size: bigint;
  readonly value: Uint8Array | null;
  readonly value_bytes: Uint8Array | null;
}

/** A Parquet file of keys, row group by row group. */
export class ParquetFile {
  private readonly bytes: Hyparquet.ByteWriter;
  private readonly writer: Hyparquet.ParquetWriter;

  constructor(
    { ByteWriter, ParquetWriter }: ParquetPackage,
    private readonly into: ByteTarget,
  ) {
    this.bytes = new ByteWriter(1 << 20);
    this.writer = new ParquetWriter({
      writer: this.bytes,
      schema: [
        { name: 'keys', num_children: NAMES.length },
        ...NAMES.map((name) => ({ name, ...COLUMNS[name] })),
      ],
      codec: 'SNAPPY',
      createdBy: 'rekindle',
    });
  }

  /** Writes the rows as one group. */
  group(rows: readonly ParquetRow[]): void {
    if (rows.length === 0) return;
    const columnData = NAMES.map((name) => ({
      name,
      data: rows.map((row) => row[name]),
      statistics: !WITHOUT_RANGE.has(name),
      // Values seldom repeat: nothing is to be gained by looking for that.
      ...(name === 'value' || name === 'value_bytes' ? { encoding: 'PLAIN' as const } : {}),
    }));
    this.writer.write({ columnData, rowGroupSize: rows.length });
    this.flush();
  }

  /** Ends the file with what is told beside the rows. */
  finish(metadata: Readonly<Record<string, string>>): void {
    this.writer.kvMetadata = Object.entries(metadata).map(([key, value]) => ({ key, value }));
    this.writer.finish();
    this.flush();
  }

  private flush(): void {
    const { bytes } = this;
    this.into.write(bytes.getBytes());
    bytes.index = 0;
  }
}
