import { type ByteSlice, sliceOf } from '../../bytes/slice.js';
import { FormatError } from '../../errors.js';
import { type Cursor, SHORT } from '../cursor.js';
import type { RdbHandler } from '../handler.js';
import type { TextReader } from '../text.js';

/** The source of a library as it stands in the file. @throws FormatError when its first line names no engine */
export function functionLibraryOf(text: TextReader): ByteSlice {
  const { bytes, start, end } = text.slice;
  if (end - start < 2 || bytes[start] !== 0x23 || bytes[start + 1] !== 0x21) {
    throw new FormatError('rdb/bad-function', text.offset, { reason: 'no-engine-line' }).within('function');
  }
  const newline = bytes.indexOf(0x0a, start);
  if (newline < 0 || newline >= end) {
    throw new FormatError('rdb/bad-function', text.offset, { reason: 'unfinished-engine-line' }).within(
      'function',
    );
  }
  return text.slice;
}

/** The strings of a library as the release candidates of 7.0 wrote it. */
export interface PreGaFunction {
  readonly name: TextReader;
  readonly other: TextReader;
}

/**
 * Reads name, engine, an optional description and the code, and reports the library in the form it has since 7.0.
 * @returns the position after it, or SHORT
 */
export function readPreGaFunction(
  texts: PreGaFunction,
  cursor: Cursor,
  start: number,
  out: RdbHandler,
): number {
  const { name, other } = texts;
  let at = name.read(cursor, start);
  if (at === SHORT) return SHORT;
  at = other.read(cursor, at);
  if (at === SHORT) return SHORT;
  const engine = other.slice.latin1();
  at = cursor.length(at);
  if (at === SHORT) return SHORT;
  if (cursor.value !== 0) {
    at = other.read(cursor, at);
    if (at === SHORT) return SHORT;
  }
  at = other.read(cursor, at);
  if (at === SHORT) return SHORT;
  out.functionLibrary(sliceOf(`#!${engine} name=${name.slice.latin1()}\n${other.slice.latin1()}`));
  return at;
}
