// The line that is being written: where it has to be broken, and what stands between the items of a list.
import { fits, OUTPUT, putDigits, putLiteral, putLong, putQuoted, putText } from './json';
import { putDouble } from './json-double';

/** Literals, in the order in which they are given. */
const DATABASE: usize = 5;
const KEY: usize = 6;
const PART: usize = 7;
const VALUE: usize = 8;
const LIST: usize = 9;
const MORE: usize = 10;
const LAST: usize = 11;
const COMMA: u8 = 44;

/** Where the name of a key is kept for the lines on which its value goes on. */
const NAME: usize = 0x10000;
export const NAME_MAX: usize = 0x1000;

/** Position of the next byte of the output. */
export let out: usize = OUTPUT;
/** A line that passes this position goes on in the next. May lie before the output. */
export let lineLimit: i32 = 0;
/** Items on this line so far, and which of the value's lines it is. */
export let lineItems: u32 = 0;
export let part: u32 = 0;
export let nameLength: usize = 0;
/** There was no room for something. */
export let overflow: bool = false;

let lineBytes: i32 = 0;
let database: u32 = 0;

let keptOut: usize = OUTPUT;
let keptLimit: i32 = 0;
let keptItems: u32 = 0;
let keptPart: u32 = 0;

/** Bytes after which a line is broken; 0: never. */
export function setLineBytes(bytes: i32): void {
  lineBytes = bytes;
}

export function setOut(at: usize): void {
  out = at;
}

export function setDatabase(index: u32): void {
  database = index;
}

/** What was written has been taken away. */
export function emptyOutput(): void {
  lineLimit -= <i32>(out - OUTPUT);
  out = OUTPUT;
}

/** Remembers a state to which `undo` returns. */
export function keep(): void {
  keptOut = out;
  keptLimit = lineLimit;
  keptItems = lineItems;
  keptPart = part;
  overflow = false;
}

export function undo(): void {
  out = keptOut;
  lineLimit = keptLimit;
  lineItems = keptItems;
  part = keptPart;
}

/** True when there would be room if the output were taken away first. */
export function roomWhenEmpty(): bool {
  return overflow && keptOut > OUTPUT;
}

/** Begins the line of a key whose name is `start` to `end`. */
export function beginLine(start: usize, end: usize): void {
  lineLimit = lineBytes == 0 ? i32.MAX_VALUE : <i32>out + lineBytes;
  lineItems = 0;
  part = 1;
  putPlace(start, end);
}

function putPlace(start: usize, end: usize): void {
  if (!fits(end - start, out)) {
    overflow = true;
    return;
  }
  const at = putLiteral(KEY, putDigits(database, putLiteral(DATABASE, out)));
  out = putText(start, end, at);
}

/** Keeps the name that is `start` to `end`. */
export function keepName(start: usize, end: usize): void {
  nameLength = end - start;
  memory.copy(NAME, start, nameLength);
}

export function literal(index: usize): void {
  out = putLiteral(index, out);
}

@inline
export function mark(code: u8): void {
  store<u8>(out, code);
  out++;
}

/** False when there is no room for what has no text. */
@inline
export function room(): bool {
  if (fits(0, out)) return true;
  overflow = true;
  return false;
}

/** A text. False when there is no room for it. */
@inline
export function text(start: usize, end: usize): bool {
  if (!fits(end - start, out)) {
    overflow = true;
    return false;
  }
  out = putText(start, end, out);
  return true;
}

/** An integer as a text. False when there is no room for it. */
@inline
export function quoted(value: i64): bool {
  if (!room()) return false;
  out = putQuoted(value, out);
  return true;
}

@inline
export function digits(value: u64): void {
  out = putDigits(value, out);
}

@inline
export function long(value: i64): void {
  out = putLong(value, out);
}

@inline
export function double(value: f64): void {
  out = putDouble(value, out);
}

/** Stands before each item of a list. */
@inline
export function item(): void {
  if (<i32>out > lineLimit) breakLine();
  if (lineItems++ > 0) mark(COMMA);
}

function breakLine(): void {
  if (lineBytes == 0) return;
  mark(93);
  literal(MORE);
  lineLimit = <i32>out + lineBytes;
  putPlace(NAME, NAME + nameLength);
  literal(PART);
  out = putDigits(++part, out);
  literal(VALUE);
  mark(91);
  lineItems = 0;
}

/** The value is a list of items from here on. */
export function beginList(): void {
  literal(LIST);
}

export function endLine(): void {
  literal(LAST);
}

export function endList(): void {
  mark(93);
  literal(LAST);
}
