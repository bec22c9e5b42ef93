// Executes the commands of a log, straight from its bytes, on the keys that the engine holds in this memory. What is rare,
// large, refused or wrong is left to the engine, one command at a time, by `leave`; so nothing here needs words. Records
// that are not in the servers' own form are not taken at all.
//
// Commands come in batches: all of one are found and their keys hashed, then the memory they will need is asked for, and
// only then is the first of them executed. What a lookup costs is waiting for memory, and so they wait together.
import {
  ARGS,
  ARGS_END,
  BATCH,
  ITEM_ARGC,
  ITEM_ARGS,
  ITEM_END,
  ITEM_HASH,
  ITEM_ID,
  ITEM_IN_TRANSACTION,
  ITEM_SIZE,
  ITEM_START,
  ITEMS,
  STOPPED,
  TAKEN,
} from './engine-layout';
import * as names from './engine-names';
import { addScores, incrementScore, pop, push, removeScored, trim } from './engine-ordered';
import { addMembers, incrementField, removeFields, removeMembers, setFields } from './engine-packed';
import { isMine, isParted } from './engine-parts';
import { hashOf, setTable, table, touch, touchRecord } from './engine-table';
import {
  add,
  append,
  argc,
  expire,
  integer,
  persist,
  removeKeys,
  set,
  setCommand,
  setIfAbsent,
  setWithin,
  subtract,
} from './engine-text';

export { setThresholds } from './engine-ordered';
export { setPart } from './engine-parts';
export { setSecret } from './engine-table';
export { setNow } from './engine-text';

/** Executes command `i` of the batch; returns the table of the database that is selected then. */
declare function leave(i: u32): usize;

/** Nothing of others'. */
const DONE: u32 = 0xff;
/** Keeps what is asked of memory from being left out. */
export let touched: u32 = 0;

/** Where a run goes on behind the batch that `scan` found. */
let next: usize = 0;

/** Executes at most `most` commands from `start` on, up to `end`. */
export function run(start: usize, end: usize, most: u32, tableAt: usize): void {
  setTable(tableAt);
  let taken: u32 = 0;
  store<u32>(TAKEN, 0);
  next = start;
  while (taken < most) {
    const count = scan(next, end, min<u32>(BATCH, most - taken));
    if (count === 0) break;
    if (table !== 0) touchAll(count);
    for (let i: u32 = 0; i < count; i++) {
      if (execute(ITEMS + i * ITEM_SIZE)) continue;
      store<u32>(TAKEN, taken);
      setTable(leave(i));
    }
    taken += count;
  }
  store<u32>(TAKEN, taken);
  store<u32>(STOPPED, next as u32);
}

function touchAll(count: u32): void {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) sum += touch(load<u32>(ITEMS + i * ITEM_SIZE, ITEM_HASH));
  for (let i: u32 = 0; i < count; i++) sum += touchRecord(load<u32>(ITEMS + i * ITEM_SIZE, ITEM_HASH));
  touched = sum;
}

/** Where a number's line ends that stands behind `at`, or 0; `number` is what it says. */
let number: u32 = 0;
function numberLine(at: usize): usize {
  let c = (load<u8>(at, 1) as u32) - 48;
  if (c > 9) return 0;
  let sum = c;
  let place = at + 2;
  for (; ; place++) {
    c = (load<u8>(place) as u32) - 48;
    if (c > 9 || place - at > 8) break;
    sum = sum * 10 + c;
  }
  if (load<u16>(place) !== 0x0a0d) return 0;
  number = sum;
  return place + 2;
}

/** Finds the commands of a batch, transactions whole; returns how many. */
function scan(start: usize, end: usize, most: u32): u32 {
  let count: u32 = 0;
  let at = start;
  let args = ARGS;
  /** Commands before the transaction that is open, and where it begins; -1: none is. */
  let before: i32 = -1;
  let begin: usize = 0;
  while (count < most) {
    if (end - at < 16 || end <= at || load<u8>(at) !== 42) break;
    let place = numberLine(at);
    const argCount = number;
    if (place === 0 || argCount === 0 || args + (argCount << 3) > ARGS_END) break;
    const first = args;
    for (let i: u32 = 0; i < argCount; i++) {
      if (place + 16 > end || load<u8>(place) !== 36) {
        place = 0;
        break;
      }
      const head = load<u32>(place);
      if ((head & 0xffff0000) === 0x0a0d0000) {
        number = (head >>> 8 & 0xff) - 48;
        if (number > 9) {
          place = 0;
          break;
        }
        place += 4;
      } else {
        place = numberLine(place);
        if (place === 0) break;
      }
      store<u32>(args, place as u32);
      store<u32>(args, number, 4);
      args += 8;
      place += number;
      if (place + 2 > end || load<u16>(place) !== 0x0a0d) {
        place = 0;
        break;
      }
      place += 2;
    }
    if (place === 0) break;
    const id = names.nameOf(load<u32>(first) as usize, load<u32>(first, 4));
    if (id === names.MULTI) {
      if (before >= 0) break;
      before = count;
      begin = at;
    }
    const item = ITEMS + count * ITEM_SIZE;
    const key = argCount > 1 ? (load<u32>(first, 8) as usize) : 0;
    const keyLength = load<u32>(first, 12);
    const isEach = argCount > 2 && (id === names.DEL || id === names.UNLINK);
    const foreign = isParted && key !== 0 && id !== names.OTHER && !isEach && !isMine(key, keyLength);
    const keyHash = key === 0 || foreign ? 0 : hashOf(key, keyLength);
    store<u32>(item, foreign ? DONE : id, ITEM_ID);
    store<u32>(item, first as u32, ITEM_ARGS);
    store<u32>(item, argCount, ITEM_ARGC);
    store<u32>(item, keyHash, ITEM_HASH);
    store<u32>(item, at as u32, ITEM_START);
    store<u32>(item, place as u32, ITEM_END);
    store<u32>(item, (before >= 0) as u32, ITEM_IN_TRANSACTION);
    if (id === names.EXEC) {
      // Outside a transaction it is a flaw, which others tell.
      if (before < 0) break;
      before = -1;
    }
    count++;
    at = place;
  }
  if (before >= 0) {
    count = before;
    at = begin;
  }
  next = at;
  return count;
}

/** False when it is left to others. */
function execute(item: usize): bool {
  const id = load<u32>(item, ITEM_ID);
  if (id === DONE || id === names.MULTI || id === names.EXEC) return true;
  if (table === 0 || id === names.OTHER) return false;
  setCommand(load<u32>(item, ITEM_ARGS) as usize, load<u32>(item, ITEM_ARGC), load<u32>(item, ITEM_HASH));
  switch (id) {
    case names.SET:
      return argc >= 3 && set();
    case names.DEL:
    case names.UNLINK:
      return argc >= 2 && removeKeys();
    case names.INCR:
      return argc === 2 && add(1);
    case names.DECR:
      return argc === 2 && add(-1);
    case names.INCRBY:
      return argc === 3 && add(integer(2));
    case names.DECRBY:
      return argc === 3 && subtract();
    case names.HSET:
    case names.HMSET:
      return argc >= 4 && setFields();
    case names.HINCRBY:
      return argc === 4 && incrementField();
    case names.HDEL:
      return argc >= 3 && removeFields();
    case names.SADD:
      return argc >= 3 && addMembers();
    case names.SREM:
      return argc >= 3 && removeMembers();
    case names.ZADD:
      return argc >= 4 && addScores();
    case names.ZINCRBY:
      return argc === 4 && incrementScore();
    case names.ZREM:
      return argc >= 3 && removeScored();
    case names.LPUSH:
      return argc >= 3 && push(true);
    case names.RPUSH:
      return argc >= 3 && push(false);
    case names.LPOP:
      return pop(true);
    case names.RPOP:
      return pop(false);
    case names.LTRIM:
      return argc === 4 && trim();
    case names.EXPIRE:
      return expire(true, false);
    case names.PEXPIRE:
      return expire(false, false);
    case names.EXPIREAT:
      return expire(true, true);
    case names.PEXPIREAT:
      return expire(false, true);
    case names.PERSIST:
      return argc === 2 && persist();
    case names.SETEX:
      return argc === 4 && setWithin(true);
    case names.PSETEX:
      return argc === 4 && setWithin(false);
    case names.SETNX:
      return argc === 3 && setIfAbsent();
    case names.APPEND:
      return argc === 3 && append();
    default:
      return false;
  }
}
