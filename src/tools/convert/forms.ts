import { UsageError } from '../../errors.js';
import type { RdbTarget } from '../../rdb/writer-target.js';

/**
 * What a dataset can be written as. `aof`: one file, behind an RDB preamble where the server knows such. `resp`: commands
 * alone, for `redis-cli --pipe`. `csv`: a row for every element, for other programs; it cannot be read back.
 */
export type ConvertForm = 'rdb' | 'aof' | 'aofdir' | 'resp' | 'json' | 'ndjson' | 'csv';

export const CONVERT_FORMS: readonly ConvertForm[] = [
  'rdb',
  'aof',
  'aofdir',
  'resp',
  'json',
  'ndjson',
  'csv',
];

/** True for forms that a server loads: what is written depends on which. */
export function isForServer(form: ConvertForm): boolean {
  return form === 'rdb' || form === 'aof' || form === 'aofdir' || form === 'resp';
}

/** The form an output has by its name: a name without an ending is a directory. @throws UsageError for other endings */
export function convertFormByName(path: string): ConvertForm {
  if (path === '-') {
    throw new UsageError(
      'standard output has no ending to tell what to write',
      `give --to ${CONVERT_FORMS.join('|')}`,
    );
  }
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase();
  if (ending === undefined) return 'aofdir';
  const form = CONVERT_FORMS.find((each) => each === ending && each !== 'aofdir');
  if (form !== undefined) return form;
  if (ending === 'jsonl') return 'ndjson';
  throw new UsageError(
    `nothing is written as .${ending} by its name`,
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
