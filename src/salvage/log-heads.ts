import { arityFits, findCommand, isModuleName } from '../model/commands.js';
import { CR, DOLLAR, HASH, LF, STAR } from '../resp/grammar.js';

/** Bytes that a head takes at most: `*n`, `$len` and the name of a command, or a `#TS:` line and the `*` behind it. */
export const HEAD_BYTES = 160;
/** What servers accept as one argument unless told otherwise: a longer one was never written. */
export const ARGUMENT_MAX = 512 * 1024 * 1024;

const NAME_MAX = 96;
const NONE = -1;
const SMALLEST_ARGUMENT = 5;

/**
 * True when a record seems to start at `at`: `*n`, `$len` and the whole name of a command that takes so many arguments,
 * or a `#TS:` line with a `*` behind it. A name with a dot passes for a module's. `room` is how many bytes the input
 * has from `at` on.
 */
export function isRecordHead(bytes: Buffer, at: number, end: number, room: number): boolean {
  if (bytes[at] === HASH) return isTimestampHead(bytes, at, end);
  if (bytes[at] !== STAR) return false;
  const feed = digitsEnd(bytes, at + 1, end);
  if (feed === NONE) return false;
  const argc = numberAt(bytes, at + 1);
  if (argc < 1 || argc * SMALLEST_ARGUMENT > room || bytes[feed] !== DOLLAR) return false;
  const name = digitsEnd(bytes, feed + 1, end);
  if (name === NONE) return false;
  const length = numberAt(bytes, feed + 1);
  const stop = name + length;
  if (length < 1 || length > NAME_MAX || stop + 2 > end) return false;
  if (bytes[stop] !== CR || bytes[stop + 1] !== LF) return false;
  const command = findCommand(bytes, name, stop);
  if (command !== null) return arityFits(command, argc);
  return isModuleName(bytes, name, stop) && isPlainText(bytes, name, stop);
}

function isTimestampHead(bytes: Buffer, at: number, end: number): boolean {
  if (end - at < 5 || bytes.latin1Slice(at, at + 4) !== '#TS:') return false;
  const next = digitsEnd(bytes, at + 4, end);
  return next !== NONE && next < end && bytes[next] === STAR;
}

/** True for printable ASCII without blanks, as all names of commands are. */
export function isPlainText(bytes: Buffer, at: number, end: number): boolean {
  for (let i = at; i < end; i++) if (bytes[i]! <= 32 || bytes[i]! > 126) return false;
  return true;
}

const DIGITS_MAX = 19;

/** The position behind one or more digits and CR LF; NONE when something else stands there or the bytes end. */
function digitsEnd(bytes: Buffer, at: number, end: number): number {
  let i = at;
  while (i < end && isDigit(bytes[i]!)) i++;
  if (i === at || i - at > DIGITS_MAX || i + 2 > end) return NONE;
  return bytes[i] === CR && bytes[i + 1] === LF ? i + 2 : NONE;
}

function numberAt(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; isDigit(bytes[i]!); i++) value = value * 10 + bytes[i]! - 48;
  return value;
}

const isDigit = (c: number): boolean => c >= 48 && c <= 57;

/**
 * False when the record that starts at `at` cannot have had more arguments than it says: its command takes exactly so
 * many.
 */
export function mayHaveLostArguments(bytes: Buffer, at: number, end: number): boolean {
  const feed = digitsEnd(bytes, at + 1, end);
  const name = feed === NONE ? NONE : digitsEnd(bytes, feed + 1, end);
  if (name === NONE) return true;
  const stop = name + numberAt(bytes, feed + 1);
  const command = stop > end ? null : findCommand(bytes, name, stop);
  return command === null || command.arity < 0 || !arityFits(command, numberAt(bytes, at + 1));
}

/** A `$len` line, or what one changed byte may have made of one. Offsets are absolute. */
export interface LengthLine {
  /** Where its argument starts. */
  readonly body: number;
  /** As it stands; NaN when the line is damaged. */
  readonly length: number;
  /** What the length may have been before one byte of the line changed. */
  readonly alternatives: readonly number[];
}

/** A `$len` line in its canonical form at `at`; `body` is a position. Null when none stands there. */
export function wholeLengthLine(
  bytes: Buffer,
  at: number,
  end: number,
): { readonly body: number; readonly length: number } | null {
  if (at >= end || bytes[at] !== DOLLAR) return null;
  const body = digitsEnd(bytes, at + 1, end);
  return body === NONE ? null : { body, length: numberAt(bytes, at + 1) };
}

/**
 * The length line whose line end stands at `feed - 1` and `feed` or may have stood there, told from the digits before
 * it; null when it looks like none, or like that of a name longer than any. Reads at most a line back from `feed`, but not before `start`.
 */
export function lengthLineAt(bytes: Buffer, feed: number, start: number, base: number): LengthLine | null {
  const body = base + feed + 1;
  let at = feed - 1;
  let changed = bytes[feed] !== LF;
  if (at < start) return null;
  if (bytes[at] !== CR) {
    if (changed) return null;
    changed = true;
  }
  const last = --at;
  let odd = NONE;
  for (; at >= start && last - at < DIGITS_MAX && bytes[at] !== DOLLAR; at--) {
    if (isDigit(bytes[at]!)) continue;
    if (odd !== NONE || changed || bytes[at] === LF) break;
    odd = at;
  }
  if (at >= start && bytes[at] === DOLLAR && at < last) {
    const digits = bytes.latin1Slice(at + 1, last + 1);
    if (odd === NONE && Number(digits) > NAME_MAX && followsCount(bytes, at, start)) return null;
    if (odd === NONE) return exact(body, digits, changed);
    return { body, length: Number.NaN, alternatives: withDigitAt(digits, odd - at - 1) };
  }
  // The `$` itself may be what changed, to a digit even: the line then starts with the odd byte.
  const first = odd === NONE ? at + 1 : odd;
  if (first >= last || last - first >= DIGITS_MAX || (odd !== NONE && changed)) return null;
  if (first > start && bytes[first - 1] !== LF) return null;
  return { body, length: Number.NaN, alternatives: [Number(bytes.latin1Slice(first + 1, last + 1))] };
}

/** True when a `*n` line stands before `at`: then a length there is that of the name of a command. */
function followsCount(bytes: Buffer, at: number, start: number): boolean {
  let i = at - 1;
  if (i < start + 3 || bytes[i] !== LF || bytes[--i] !== CR) return false;
  const last = --i;
  while (i >= start && last - i < DIGITS_MAX && isDigit(bytes[i]!)) i--;
  return i < last && i >= start && bytes[i] === STAR;
}

function exact(body: number, digits: string, changed: boolean): LengthLine {
  const alternatives: number[] = [];
  if (!changed) for (let i = 0; i < digits.length; i++) alternatives.push(...withDigitAt(digits, i));
  return { body, length: Number(digits), alternatives };
}

function withDigitAt(digits: string, index: number): number[] {
  return Array.from({ length: 10 }, (_, digit) =>
    Number(`${digits.slice(0, index)}${digit}${digits.slice(index + 1)}`),
  );
}
