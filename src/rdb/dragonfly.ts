import { FormatError } from '../errors.js';
import type { WarningSink } from './codec.js';
import { type Cursor, SHORT, wordAt } from './cursor.js';
import type { TextReader } from './text.js';

/** What follows the opcodes that only Dragonfly has and that are one item; none of them holds a key. */
export type DragonflyRule = 'journal-blob' | 'ignored-words' | 'key-mask' | 'vector-index' | 'document-index';

const HAS_MEMCACHED_FLAGS = 2;

/** Reads past the fields from `at` on. @returns the position after them, or SHORT */
export function readDragonflyRecord(
  rule: DragonflyRule,
  cursor: Cursor,
  at: number,
  text: TextReader,
  warn: WarningSink,
): number {
  switch (rule) {
    case 'ignored-words':
      return here(cursor, at + 8);
    case 'key-mask':
      return readKeyMask(cursor, at);
    case 'journal-blob':
      return readJournalBlob(cursor, at, text, warn);
    case 'vector-index':
      return passVectorIndex(cursor, at, text);
    case 'document-index':
      return passDocumentIndex(cursor, at, text);
  }
}

/** Bit 0: eviction must spare the key; bit 1: the flags of a memcached client follow. */
function readKeyMask(cursor: Cursor, at: number): number {
  const end = here(cursor, at + 4);
  if (end === SHORT) return SHORT;
  return wordAt(cursor.bytes, at) & HAS_MEMCACHED_FLAGS ? here(cursor, end + 4) : end;
}

/**
 * Changes made while the snapshot was taken, as a replica would be sent them. They are commands, which an RDB's reader
 * can't execute: what they change is told to be unknown.
 */
function readJournalBlob(cursor: Cursor, at: number, text: TextReader, warn: WarningSink): number {
  const start = cursor.length(at);
  if (start === SHORT) return SHORT;
  const entries = cursor.value;
  const end = text.read(cursor, start);
  if (end !== SHORT)
    warn('rdb/journal-entries', cursor.offsetOf(at - 1), { entries, bytes: text.slice.length });
  return end;
}

function passVectorIndex(cursor: Cursor, start: number, text: TextReader): number {
  let at = text.read(cursor, start);
  if (at === SHORT) return SHORT;
  at = cursor.length(at);
  if (at === SHORT) return SHORT;
  at = cursor.length(at);
  if (at === SHORT) return SHORT;
  for (let nodes = cursor.value; nodes > 0; nodes--) {
    const levelAt = at + 12;
    at = here(cursor, levelAt + 4);
    if (at === SHORT) return SHORT;
    for (let levels = wordAt(cursor.bytes, levelAt) + 1; levels > 0; levels--) {
      const linksAt = at;
      at = here(cursor, linksAt + 4);
      if (at === SHORT) return SHORT;
      at = here(cursor, at + 4 * wordAt(cursor.bytes, linksAt));
      if (at === SHORT) return SHORT;
    }
  }
  return at;
}

function passDocumentIndex(cursor: Cursor, start: number, text: TextReader): number {
  let at = cursor.length(start);
  if (at === SHORT) return SHORT;
  at = text.read(cursor, at);
  if (at === SHORT) return SHORT;
  at = cursor.length(at);
  if (at === SHORT) return SHORT;
  for (let documents = cursor.value; documents > 0; documents--) {
    at = text.read(cursor, at);
    if (at === SHORT) return SHORT;
    at = cursor.length(at);
    if (at === SHORT) return SHORT;
  }
  return at;
}

function here(cursor: Cursor, to: number): number {
  return to > cursor.end ? cursor.short(to) : to;
}

/** An error inside a compressed blob: its offset is the blob's, the place inside stands in its detail. */
export function insideBlob(error: FormatError, offset: number, kind: string): FormatError {
  const place = error.offset - offset;
  const outer = new FormatError(error.code, offset, { ...error.detail, insideBlob: place });
  outer.trail.push(kind, ...error.trail);
  return outer;
}
