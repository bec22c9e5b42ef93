// Passes over the commands of a log that stand there as servers write them, and are in order: framing, name, number of
// arguments, database, transactions. Stops in front of the first record that is anything else, which is left to the caller:
// nothing here ever says that something is wrong.
//
// Fixed memory:
//   STATUS  what goes in and comes out: commands passed, whether a transaction is open, where its MULTI stands, commands
//           queued in it, arguments passed, where the last of them begins; the seconds of the last annotation passed, 64
//           bits, and whether there was one; where that MULTI ends; where the last command begins
//   NAME    the name that is to be learned
//   TABLE   the names that are known
//   from INPUT on the records; nothing reads more than 32 bytes behind their end, and believes what it reads there

const STATUS: usize = 0x100;
const NAME: usize = 0x200;
const TABLE: usize = 0x1000;
const SLOT_BITS: usize = 10;
const SLOT: usize = 32;

// What stands in a slot: the first and the last eight letters of a name, without their case, and what is to be known of it.
const TAIL: usize = 8;
const LENGTH: usize = 16;
const LEAST: usize = 20;
const MORE: usize = 24;
const KIND: usize = 28;

// What stands at STATUS.
const COMMANDS: usize = 0;
const OPEN: usize = 4;
const MULTI_AT: usize = 8;
const QUEUED: usize = 12;
const SEEN: usize = 16;
const LAST_BODY: usize = 20;
const SECONDS: usize = 24;
const TIMED: usize = 32;
const MULTI_END: usize = 36;
const LAST: usize = 40;

/** Kinds of commands; EXEC is the one that is left. */
const ORDINARY: u32 = 0;
const MULTI: u32 = 1;
const SELECT: u32 = 3;

/** What is looked at. */
const ARGUMENTS: u32 = 1;
const TRANSACTIONS: u32 = 2;
const ANNOTATIONS: u32 = 4;
/** Behind the record another one seems to start. */
const FOLLOWED: u32 = 8;
/** SELECT is left to the caller. */
const NO_SELECT: u32 = 16;

const SHORTEST: u32 = 3;
const LONGEST: u32 = 16;
/** Takes the bit out of eight letters that tells their case. */
const FOLD: u64 = 0xdfdfdfdfdfdfdfdf;
const LINE_END: u32 = 0x0a0d;
/** A line end and the dollar sign behind it. */
const NEXT_ARGUMENT: u32 = 0x240a0d;
const HASH: u8 = 35;
const DOLLAR: u8 = 36;
const STAR: u8 = 42;
const TS: u32 = 0x3a535423;
/** What is read of the head of a record or argument without asking whether it is there. */
const HEAD_MAX: usize = 24;
const DIGITS_MAX: usize = 8;

/** Takes the name at NAME, which is letters alone, for known; it has `least` arguments and at most `more` besides. */
export function learn(length: u32, least: u32, more: u32, kind: u32): void {
  const head = headOf(NAME, length);
  const tail = tailOf(NAME, length);
  let entry = slotOf(head, tail);
  while (load<u32>(entry, LENGTH) != 0) entry = after(entry);
  store<u64>(entry, head);
  store<u64>(entry, tail, TAIL);
  store<u32>(entry, length, LENGTH);
  store<u32>(entry, least, LEAST);
  store<u32>(entry, more, MORE);
  store<u32>(entry, kind, KIND);
}

/** Passes over the records from `from` on, none of which reaches behind `to`. Returns where it stopped. */
export function pass(from: usize, to: usize, looks: u32): usize {
  let at = from;
  let commands: u32 = 0;
  let seen: u32 = 0;
  let lastBody: usize = 0;
  let last: usize = 0;
  let open = load<u32>(STATUS, OPEN);
  let queued = load<u32>(STATUS, QUEUED);
  store<u32>(STATUS, 0, TIMED);
  while (at + HEAD_MAX <= to) {
    let word = load<u64>(at);
    let argc: u32 = (<u32>(word >> 8) & 0xff) - 48;
    let dollar = at + 4;
    if ((<u32>word & 0xffff00ff) == 0x0a0d002a && argc - 1 < 9) {
      word >>= 32;
    } else if (<u8>word == STAR) {
      if (argc - 1 > 8) break;
      dollar = number(at, argc);
      if (dollar == 0) break;
      argc = value;
      word = load<u64>(dollar);
    } else {
      if (<u8>word != HASH || (looks & ANNOTATIONS) == 0) break;
      const next = annotation(at, to, looks);
      if (next == 0) break;
      at = next;
      continue;
    }

    if (<u8>word != DOLLAR) break;
    let size: u32 = (<u32>(word >> 8) & 0xff) - 48;
    if (size > 9) break;
    let body = dollar + 4;
    if ((<u32>(word >> 16) & 0xffff) != LINE_END) {
      body = number(dollar, size);
      if (body == 0) break;
      size = value;
    }
    if (size - SHORTEST > LONGEST - SHORTEST) break;
    const length = size;
    const head = headOf(body, length);
    const tail = tailOf(body, length);
    let stop = body + size;

    let i: u32 = 1;
    for (; i < argc; i++) {
      if (stop + HEAD_MAX > to) break;
      word = load<u64>(stop);
      if ((<u32>word & 0xffffff) != NEXT_ARGUMENT) break;
      size = (<u32>word >> 24) - 48;
      if (size > 9) break;
      // Three digits and their line end are in the word: nearly all there is.
      const rest = <u32>(word >> 32);
      if ((rest & 0xffff) == LINE_END) {
        body = stop + 6;
      } else {
        const second = (rest & 0xff) - 48;
        if (second > 9) break;
        if (((rest >> 8) & 0xffff) == LINE_END) {
          size = size * 10 + second;
          body = stop + 7;
        } else if (rest >> 16 == LINE_END) {
          const third = ((rest >> 8) & 0xff) - 48;
          if (third > 9) break;
          size = size * 100 + second * 10 + third;
          body = stop + 8;
        } else {
          body = number(stop + 2, size);
          if (body == 0) break;
          size = value;
        }
      }
      stop = body + size;
    }
    if (i < argc || stop + 2 > to || load<u16>(stop) != LINE_END) break;
    if (looks & FOLLOWED && !isFollowed(stop + 2, to)) break;

    const entry = find(head, tail, length);
    if (load<u32>(entry, LENGTH) == 0) break;
    if (looks & ARGUMENTS && argc - load<u32>(entry, LEAST) > load<u32>(entry, MORE)) break;
    const kind = load<u32>(entry, KIND);
    if (kind != ORDINARY) {
      if (kind == SELECT) {
        if (looks & NO_SELECT || (looks & ARGUMENTS && !isDatabase(body, size))) break;
      } else if (looks & TRANSACTIONS) {
        // Whatever is strange about them.
        if (argc != 1 || (kind == MULTI) == (open != 0)) break;
        open = open ^ 1;
        if (open) {
          store<u32>(STATUS, <u32>at, MULTI_AT);
          store<u32>(STATUS, <u32>stop + 2, MULTI_END);
        }
        queued = -open;
      }
    }
    queued += open;
    seen += argc;
    lastBody = body;
    last = at;
    at = stop + 2;
    commands++;
  }
  store<u32>(STATUS, commands, COMMANDS);
  store<u32>(STATUS, open, OPEN);
  store<u32>(STATUS, queued, QUEUED);
  store<u32>(STATUS, seen, SEEN);
  store<u32>(STATUS, <u32>lastBody, LAST_BODY);
  store<u32>(STATUS, <u32>last, LAST);
  return at;
}

let value: u32 = 0;

/** Reads the digits behind the byte at `at`, and the line end behind them; 0: something else stands there. */
function number(at: usize, first: u32): usize {
  let digit = at + 2;
  let sum = first;
  for (;;) {
    const next: u32 = <u32>load<u8>(digit) - 48;
    if (next > 9) break;
    sum = sum * 10 + next;
    if (++digit - at > DIGITS_MAX) return 0;
  }
  if (load<u16>(digit) != LINE_END) return 0;
  value = sum;
  return digit + 2;
}

/** The position behind a well-formed `#TS:` line; 0: it is something else. */
function annotation(at: usize, to: usize, looks: u32): usize {
  if (load<u32>(at) != TS) return 0;
  let digit = at + 4;
  let sum: u64 = 0;
  for (; digit - at < 19; digit++) {
    const next: u32 = <u32>load<u8>(digit) - 48;
    if (next > 9) break;
    sum = sum * 10 + next;
  }
  if (digit == at + 4 || digit + 2 > to || load<u16>(digit) != LINE_END) return 0;
  if (looks & FOLLOWED && !isFollowed(digit + 2, to)) return 0;
  store<f64>(STATUS, <f64>sum, SECONDS);
  store<u32>(STATUS, 1, TIMED);
  return digit + 2;
}

/** What follows a record that is one, as far as its first byte tells. */
function isFollowed(at: usize, to: usize): bool {
  if (at >= to) return false;
  const first = load<u8>(at);
  return first == STAR || first == HASH;
}

/** 0 to 9999999999, without leading zeros. */
function isDatabase(at: usize, size: u32): bool {
  if (size - 1 > 9) return false;
  for (let i: u32 = 0; i < size; i++) if (<u32>load<u8>(at + i) - 48 > 9) return false;
  return size == 1 || load<u8>(at) != 48;
}

/** The slot of a name, or the empty one that says it is not known. */
function find(head: u64, tail: u64, length: u32): usize {
  let entry = slotOf(head, tail);
  while (load<u64>(entry) != head || load<u64>(entry, TAIL) != tail || load<u32>(entry, LENGTH) != length) {
    if (load<u32>(entry, LENGTH) == 0) return entry;
    entry = after(entry);
  }
  return entry;
}

@inline
function slotOf(head: u64, tail: u64): usize {
  return TABLE + <usize>(((head ^ (tail * 0x85ebca6b9e3779b1)) * 0x9e3779b97f4a7c15) >> (64 - <u64>SLOT_BITS)) * SLOT;
}

@inline
function after(entry: usize): usize {
  const next = entry + SLOT;
  return next == TABLE + (SLOT << SLOT_BITS) ? TABLE : next;
}

@inline
function headOf(at: usize, length: u32): u64 {
  const word = load<u64>(at) & FOLD;
  return length < 8 ? word & ((<u64>1 << (length << 3)) - 1) : word;
}

/** Tells names of more than eight letters apart, 0 for others. */
@inline
function tailOf(at: usize, length: u32): u64 {
  return length > 8 ? load<u64>(at + length - 8) & FOLD : 0;
}
