// Names of the commands that the engine executes here, by their bytes.
/** What is left to others. */
export const OTHER: u32 = 0;
export const SET: u32 = 1;
export const DEL: u32 = 2;
export const INCR: u32 = 3;
export const HSET: u32 = 4;
export const SADD: u32 = 5;
export const SREM: u32 = 6;
export const ZADD: u32 = 7;
export const ZREM: u32 = 8;
export const LPOP: u32 = 9;
export const RPOP: u32 = 10;
export const HDEL: u32 = 11;
export const DECR: u32 = 12;
export const MULTI: u32 = 13;
export const EXEC: u32 = 14;
export const LPUSH: u32 = 15;
export const RPUSH: u32 = 16;
export const LTRIM: u32 = 17;
export const SETEX: u32 = 18;
export const SETNX: u32 = 19;
export const HMSET: u32 = 20;
export const INCRBY: u32 = 21;
export const DECRBY: u32 = 22;
export const EXPIRE: u32 = 23;
export const UNLINK: u32 = 24;
export const APPEND: u32 = 25;
export const PSETEX: u32 = 26;
export const HINCRBY: u32 = 27;
export const ZINCRBY: u32 = 28;
export const PEXPIRE: u32 = 29;
export const PERSIST: u32 = 30;
export const EXPIREAT: u32 = 31;
export const PEXPIREAT: u32 = 32;

/** The number of a name in any case. */
export function nameOf(at: usize, length: u32): u32 {
  if (length > 9) return OTHER;
  let name = load<u64>(at) & 0xdfdfdfdfdfdfdfdf;
  if (length < 8) name &= ((1 as u64) << (length << 3)) - 1;
  switch (length) {
    case 3:
      if (name === 0x544553) return SET;
      if (name === 0x4c4544) return DEL;
      return OTHER;
    case 4:
      if (name === 0x52434e49) return INCR;
      if (name === 0x54455348) return HSET;
      if (name === 0x44444153) return SADD;
      if (name === 0x4d455253) return SREM;
      if (name === 0x4444415a) return ZADD;
      if (name === 0x4d45525a) return ZREM;
      if (name === 0x504f504c) return LPOP;
      if (name === 0x504f5052) return RPOP;
      if (name === 0x4c454448) return HDEL;
      if (name === 0x52434544) return DECR;
      if (name === 0x43455845) return EXEC;
      return OTHER;
    case 5:
      if (name === 0x49544c554d) return MULTI;
      if (name === 0x485355504c) return LPUSH;
      if (name === 0x4853555052) return RPUSH;
      if (name === 0x4d4952544c) return LTRIM;
      if (name === 0x5845544553) return SETEX;
      if (name === 0x584e544553) return SETNX;
      if (name === 0x5445534d48) return HMSET;
      return OTHER;
    case 6:
      if (name === 0x594252434e49) return INCRBY;
      if (name === 0x594252434544) return DECRBY;
      if (name === 0x455249505845) return EXPIRE;
      if (name === 0x4b4e494c4e55) return UNLINK;
      if (name === 0x444e45505041) return APPEND;
      if (name === 0x584554455350) return PSETEX;
      return OTHER;
    case 7:
      if (name === 0x594252434e4948) return HINCRBY;
      if (name === 0x594252434e495a) return ZINCRBY;
      if (name === 0x45524950584550) return PEXPIRE;
      if (name === 0x54534953524550) return PERSIST;
      return OTHER;
    case 8:
      if (name === 0x5441455249505845) return EXPIREAT;
      return OTHER;
    case 9:
      if (name === 0x4145524950584550 && (load<u8>(at, 8) & 0xdf) === 0x54) return PEXPIREAT;
      return OTHER;
    default:
      return OTHER;
  }
}
