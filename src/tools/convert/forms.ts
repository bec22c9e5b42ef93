import type { OutputPacking } from '../../bytes/packing-target.js';
import { UsageError } from '../../errors.js';
import type { RdbTarget } from '../../rdb/writer-target.js';

/**
 * What a dataset can be written as. `aof`: one file, behind an RDB preamble where the server knows such. `resp`: commands
 * alone, for `redis-cli --pipe`. `csv`: a row for every element, `parquet`: one for every key, for other programs; they
 * cannot be read back.
 */
export type ConvertForm = 'rdb' | 'aof' | 'aofdir' | 'resp' | 'json' | 'ndjson' | 'csv' | 'parquet';

export const CONVERT_FORMS: readonly ConvertForm[] = [
  'rdb',
  'aof',
  'aofdir',
  'resp',
  'json',
  'ndjson',
  'csv',
  'parquet',
];

/** How outputs are compressed, by the ending that says so. */
export const OUTPUT_PACKINGS: Readonly<Record<string, OutputPacking>> = {
  gz: 'gzip',
  zst: 'zstd',
  lz4: 'lz4',
};
const PACKED = /\.(gz|zst|lz4)$/i;

/** How an output is compressed by its name; null: it isn't. */
export function packingByName(path: string): OutputPacking | null {
  const ending = PACKED.exec(path)?.[1]?.toLowerCase();
  return ending === undefined ? null : OUTPUT_PACKINGS[ending]!;
}

/** The name without the ending that says how it is compressed. */
export const unpackedName = (path: string): string => path.replace(PACKED, '');

/** True for forms that a server loads: what is written depends on which. */
export function isForServer(form: ConvertForm): boolean {
  return form === 'rdb' || form === 'aof' || form === 'aofdir' || form === 'resp';
}

/**
 * The form an output has by its name, whatever it is compressed with: a name without an ending is a directory.
 *
 * @throws UsageError for other endings
 */
export function convertFormByName(path: string): ConvertForm {
  if (path === '-') {
    throw new UsageError(
      'standard output has no ending to tell what to write',
      `give --to ${CONVERT_FORMS.join('|')}`,
    );
  }
  const packed = PACKED.exec(path)?.[0] ?? '';
  const ending = /\.([a-z0-9]+)$/i.exec(path.slice(0, path.length - packed.length))?.[1]?.toLowerCase();
  if (ending === undefined && packed === '') return 'aofdir';
  const form = CONVERT_FORMS.find((each) => each === ending && each !== 'aofdir');
  if (form !== undefined) return form;
  if (ending === 'jsonl') return 'ndjson';
  throw new UsageError(
    `nothing is written as ${ending === undefined ? '' : `.${ending}`}${packed} by its name`,
    `give --to ${CONVERT_FORMS.join('|')}`,
  );
}

/** @throws UsageError when the server cannot have that form */
export function assertConvertForm(form: ConvertForm, target: RdbTarget): void {
  if (form === 'aofdir' && target.aux !== 'aof-base') {
    throw new UsageError(
      `${target.name} has no append-only directories`,
      'give --to aof, or --for a server from 7.0 on',
    );
  }
}
