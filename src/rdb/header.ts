import { FormatError } from '../errors.js';
import { HEADER_BYTES, MAGIC_REDIS, MAGIC_VALKEY } from './constants.js';
import type { Cursor } from './cursor.js';
import { type DialectName, dialectOf } from './dialect.js';
import type { RdbHeader } from './handler.js';

/**
 * Reads magic and version; null when they are not all here. `product` is set when the magic is not to decide it.
 * @throws FormatError for another magic (as soon as it shows), a version that is no number or is not known
 */
export function readHeader(cursor: Cursor, product: DialectName | null): RdbHeader | null {
  const { position, bytes } = cursor;
  const offset = cursor.offsetOf(position);
  const end = Math.min(cursor.end, position + HEADER_BYTES);
  const text = bytes.latin1Slice(position, end);
  const magic = [MAGIC_REDIS, MAGIC_VALKEY].find((known) => startsAlike(text, known));
  if (magic === undefined) throw new FormatError('rdb/bad-magic', offset, { found: text });
  if (text.length < HEADER_BYTES) {
    cursor.short(position + HEADER_BYTES);
    return null;
  }
  const digits = text.slice(magic.length);
  if (!/^\d+$/.test(digits))
    throw new FormatError('rdb/bad-version', offset + magic.length, { found: digits });
  const version = Number(digits);
  const dialect = dialectOf(product ?? (magic === MAGIC_VALKEY ? 'valkey' : 'redis'), version);
  // Valkey's own magic came with a numbering of its own.
  if (dialect === null || (magic === MAGIC_VALKEY) !== version >= VALKEY_VERSION_MIN) {
    throw new FormatError('rdb/unsupported-version', offset + magic.length, { magic, version });
  }
  cursor.position = end;
  return { magic, version, dialect };
}

/** The first RDB version under Valkey's own magic. */
const VALKEY_VERSION_MIN = 80;

function startsAlike(text: string, magic: string): boolean {
  return text.length < magic.length ? magic.startsWith(text) : text.startsWith(magic);
}
