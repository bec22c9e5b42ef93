import { FormatError } from '../errors.js';
import type { KeyHead } from '../model/handler.js';
import {
  MODULE_DOUBLE,
  MODULE_END,
  MODULE_FLOAT,
  MODULE_SINT,
  MODULE_STRING,
  MODULE_UINT,
} from './constants.js';
import { type Cursor, SHORT } from './cursor.js';
import type { TextReader } from './text.js';

/** More modules than this cannot attach something to one key. */
const CLASSES_MAX = 7;

/**
 * Reads what modules attached to the key that follows: how many of them, and for each what it is and its tagged fields.
 * The bytes go into the head as they stand.
 *
 * @returns the position after it, or SHORT
 */
export function readKeyMetadata(cursor: Cursor, start: number, text: TextReader, head: KeyHead): number {
  let at = cursor.length(start);
  if (at === SHORT) return SHORT;
  const classes = cursor.value;
  if (classes > CLASSES_MAX) {
    throw new FormatError('rdb/bad-metadata', cursor.offsetOf(start), { reason: 'too-many', classes });
  }
  for (let i = 0; i < classes; i++) {
    at += 4;
    if (at > cursor.end) return cursor.short(at);
    at = readFields(cursor, at, text);
    if (at === SHORT) return SHORT;
  }
  head.metadata = Buffer.from(cursor.bytes.subarray(start, at));
  return at;
}

function readFields(cursor: Cursor, start: number, text: TextReader): number {
  let at = start;
  for (;;) {
    const tagAt = at;
    at = cursor.length(tagAt);
    if (at === SHORT) return SHORT;
    switch (cursor.value) {
      case MODULE_END:
        return at;
      case MODULE_SINT:
      case MODULE_UINT:
        at = cursor.length(at);
        break;
      case MODULE_FLOAT:
        at += 4;
        break;
      case MODULE_DOUBLE:
        at += 8;
        break;
      case MODULE_STRING:
        at = text.read(cursor, at);
        break;
      default:
        throw new FormatError('rdb/bad-metadata', cursor.offsetOf(tagAt), {
          reason: 'unknown-tag',
          tag: cursor.value,
        });
    }
    if (at === SHORT) return SHORT;
    if (at > cursor.end) return cursor.short(at);
  }
}
