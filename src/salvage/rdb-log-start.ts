const CR = 0x0d;
const LF = 0x0a;
const DIGITS_MAX = 9;
/** A log that runs this far is believed to be one. */
const ENOUGH = 64 * 1024;

let number = 0;

/** Whether the bytes at a position may be the first of a log's commands or annotations, as far as they are there. */
export function mayBeginLog(bytes: Buffer, at: number, end: number): boolean {
  if (at >= end) return true;
  if (bytes[at] === 0x23) return true;
  return bytes[at] === 0x2a && (at + 1 >= end || isDigit(bytes[at + 1]!));
}

/**
 * Whether commands and annotations of a log stand at a position, one after the other, up to `end` (where the last may be
 * cut off) or for so long that nothing else is possible.
 */
export function beginsLog(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  let commands = 0;
  while (at < end && at - start < ENOUGH) {
    const next = bytes[at] === 0x23 ? annotationEnd(bytes, at, end) : commandEnd(bytes, at, end);
    if (next < 0) return false;
    if (next > end) break;
    at = next;
    commands++;
  }
  return commands > 0;
}

/** The position after a command, beyond `end` when it is cut off; -1 when it is none. */
function commandEnd(bytes: Buffer, start: number, end: number): number {
  let at = headEnd(bytes, start, end, 0x2a);
  if (at < 0 || at > end) return at;
  if (number === 0) return -1;
  for (let left = number; left > 0; left--) {
    at = headEnd(bytes, at, end, 0x24);
    if (at < 0 || at > end) return at;
    const stop = at + number;
    if (stop + 2 > end) return end + 1;
    if (bytes[stop] !== CR || bytes[stop + 1] !== LF) return -1;
    at = stop + 2;
  }
  return at;
}

function headEnd(bytes: Buffer, start: number, end: number, mark: number): number {
  if (start >= end) return end + 1;
  if (bytes[start] !== mark) return -1;
  number = 0;
  let at = start + 1;
  for (; at < end && isDigit(bytes[at]!); at++) number = number * 10 + bytes[at]! - 0x30;
  if (at >= end) return end + 1;
  if (at === start + 1 || at > start + 1 + DIGITS_MAX || bytes[at] !== CR) return -1;
  if (at + 1 >= end) return end + 1;
  return bytes[at + 1] === LF ? at + 2 : -1;
}

function annotationEnd(bytes: Buffer, start: number, end: number): number {
  const stop = bytes.indexOf(CR, start);
  if (stop < 0 || stop >= end) return end - start > 1024 ? -1 : end + 1;
  return stop - start < 1024 && bytes[stop + 1] === LF ? stop + 2 : -1;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
