import { COMMANDS } from '../../src/keyspace/commands/table.js';
import { COMMAND_ROWS } from '../../src/model/commands-table.js';
import * as constants from '../../src/rdb/constants.js';

/** What RDB files are made of: every opcode and type number, lengths in each notation, names of aux fields. */
export function rdbTokens(): Buffer[] {
  const numbers = Object.values(constants).flatMap((value) =>
    typeof value === 'number' && value < 256 ? [value] : [],
  );
  const bytes = [...new Set(numbers)].map((number) => Buffer.of(number));
  const keys = bytes.map((byte) => Buffer.concat([byte, Buffer.from('\x01k\x02', 'latin1')]));
  const hex = [
    '00',
    '01',
    '3f',
    '4001',
    '7fff',
    '8000000001',
    '80ffffffff',
    '807fffffff',
    '810000000000000001',
    '81ffffffffffffffff',
    '8100000001ffffffff',
    '810020000000000000',
    'c0ff',
    'c18000',
    'c2ffffff7f',
    'c30504000141',
    'c3040a0161e00000',
    'fe00',
    'fe01',
    'fb0101',
    'fc0011223344556677',
    'fd00112233',
    'f805',
    'f9ff',
    'ff0000000000000000',
    'fdff',
    'fcffffffffffffffff',
    // An empty listpack, ziplist, intset and zipmap, and small ones.
    '0700000000ff',
    '070000000000ff',
    '0b0000000a000000000000ff',
    '0200000000000000',
    '0200000001000000ffff',
    '00ff',
    '0b000000020081610282630203ff',
    'f40000000000000080ff09',
    'f1ff7f04',
    'e0016102',
    'c10002',
    // Modules: an unsigned, a float, a string, the end.
    '0201',
    '0300000000',
    '040000000000000000',
    '050161',
    '00',
    '8181546e5f3e2d0001',
  ];
  const names = [
    'redis-ver',
    'redis-bits',
    'ctime',
    'used-mem',
    'aof-base',
    'repl-id',
    'lua',
    'valkey-ver',
    'mvcc-tstamp',
    'keydb-subexpire-key',
  ];
  const aux = names.map((name) =>
    Buffer.concat([Buffer.of(0xfa, name.length), Buffer.from(`${name}\x01\x30`, 'latin1')]),
  );
  const magics = [
    'REDIS0001',
    'REDIS0006',
    'REDIS0009',
    'REDIS0011',
    'REDIS0012',
    'REDIS0013',
    'REDIS0014',
    'VALKEY080',
    'VALKEY081',
  ];
  return [
    ...bytes,
    ...keys,
    ...hex.map((text) => Buffer.from(text, 'hex')),
    ...aux,
    ...magics.map((text) => Buffer.from(text)),
  ];
}

/** Words that commands know. */
const OPTIONS =
  'EX PX EXAT PXAT NX XX GT LT CH INCR GET KEEPTTL PERSIST ABSTTL REPLACE FREQ IDLETIME FIELDS FVS FNX FXX LEFT RIGHT BEFORE AFTER ' +
  'WEIGHTS AGGREGATE SUM MIN MAX COUNT ANY ASC DESC BYSCORE BYLEX REV LIMIT WITHSCORES WITHVALUES MKSTREAM MAXLEN MINID NOMKSTREAM ~ = ' +
  'ENTRIESREAD ENTRIESADDED MAXDELETEDID CREATE DESTROY SETID CREATECONSUMER DELCONSUMER GROUP STREAMS BLOCK NOACK JUSTID FORCE IDLE TIME ' +
  'RETRYCOUNT LASTID KEEPREF DELREF ACKED IDMP IDMPAUTO FROMMEMBER FROMLONLAT BYRADIUS BYBOX STORE STOREDIST m km ft mi AND OR XOR NOT DIFF ONE BIT BYTE ' +
  'SET INCRBY OVERFLOW WRAP SAT FAIL u8 i64 u63 #1 BY ALPHA DB COPY ASYNC SYNC LOAD FLUSH DELETE RESTORE APPEND MATCH NOVALUES ' +
  'REDUCE FP32 VALUES Q8 BIN NOQUANT CAS EF SETATTR M BYPAIR PUBLISH EVAL LIBRARY';
const VALUES =
  'a b c k l s z h x 0 1 2 3 -1 10 100 9223372036854775807 -9223372036854775808 1.5 -0 inf -inf nan 1e400 ( [ (1 [a - + * $ > 0-0 1-1 1-* ' +
  '5-0 18446744073709551615-18446744073709551615 0-1 1772366400000 13.361389 38.115556 #!lua user:* {t}a';

/** Command names alone, as the first argument of a command. */
export const commandNames = (): string[] => [
  ...new Set([
    ...Object.keys(namesOfEngine()),
    ...Object.values(COMMAND_ROWS).flatMap((row) => row.split(' ').map((each) => each.split(':')[0]!)),
  ]),
];

function namesOfEngine(): Record<string, true> {
  return Object.fromEntries(COMMANDS.map(({ name }) => [name, true]));
}

export const engineNames = (): string[] => Object.keys(namesOfEngine());

export function argumentTokens(): Buffer[] {
  return [...OPTIONS.split(' '), ...VALUES.split(' '), '', '\0', '\xff\xfe', '\r\n'].map((word) =>
    Buffer.from(word, 'latin1'),
  );
}
