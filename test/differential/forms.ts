import { createHash } from 'node:crypto';
import type { Random } from '../support/random.js';
import type { Word } from './connection.js';
import type { Draw } from './draw.js';
import { type Template, template } from './template.js';

/**
 * A command as it can be given. `client`: only by a client, as what it does depends on chance, the clock, or on what a
 * loading server does not guard against.
 */
export interface Form {
  readonly name: string;
  readonly client: boolean;
  /** A command that came with what is used of this one; null: nothing is needed. */
  readonly needs: string | null;
  make(draw: Draw): Word[];
}

/** Templates by family; a leading ~ says that only a client may send it, [name] that the server must know that command. */
const FAMILIES: Readonly<Record<string, string>> = {
  strings: `
    SET <s> <text>
    SET <s> <text> {NX|XX|GET|KEEPTTL|EX <seconds>|PX <millis>|PXAT <atms>|EXAT <at>}
    SET <s> <text> (PXAT <atms>|EXAT <at>|KEEPTTL)
    SET <s> <text> {NX|XX|KEEPTTL}
    ~SET <s> <text> PX <soon>
    SETEX <s> <seconds> <text>
    PSETEX <s> <millis> <text>
    SETNX <s> <text>
    GETSET <s> <text>
    GETDEL <s>
    GETEX <s> (|PERSIST|EX <seconds>|PX <millis>|EXAT <at>|PXAT <atms>|PERSIST EX 1|NX)
    MSET (<s> <text>)*
    MSETNX (<s> <text>)*
    APPEND <s> <text>
    SETRANGE <s> <offset> <text>
    INCR <s>
    DECR <s>
    INCRBY <s> <integer>
    DECRBY <s> <integer>
    INCRBYFLOAT <s> <float>
    SETBIT <b> <offset> <bit>
    BITOP (AND|OR|XOR|NOT|NAND) <b> (<b>)*
    BITOP NOT <b> <b>
    BITFIELD <b> (GET <bits> <bitoffset>|SET <bits> <bitoffset> <integer>|INCRBY <bits> <bitoffset> <integer>|OVERFLOW (WRAP|SAT|FAIL))*
    PFADD <p> (<member>)*
    PFADD <p>
    PFMERGE <p> (<p>)*
    PFCOUNT <p>
    PFCOUNT <p> <p>
    PFDEBUG TODENSE <p>`,
  lists: `
    (LPUSH|RPUSH) <l> (<text>)*
    (LPUSHX|RPUSHX) <l> (<text>)*
    (LPOP|RPOP) <l> (|<count>|<small>)
    LINSERT <l> (BEFORE|AFTER|x) <text> <text>
    LINSERT <l> (BEFORE|AFTER) (a|b|c) <text>
    LSET <l> <rank> <text>
    LREM <l> <small> (<text>|a|b|c)
    LTRIM <l> <rank> <rank>
    RPOPLPUSH <l> <l>
    LMOVE <l> <l> (LEFT|RIGHT) (LEFT|RIGHT|x)
    LMPOP #(<l>)* (LEFT|RIGHT) (|COUNT <count>)
    BLPOP (<l>)* 0.001
    BRPOP (<l>)* 0.001
    BRPOPLPUSH <l> <l> 0.001
    BLMOVE <l> <l> (LEFT|RIGHT) (LEFT|RIGHT) 0.001
    BLMPOP 0.001 #(<l>)* (LEFT|RIGHT) (|COUNT <count>)
    SORT <l> {ALPHA|DESC|ASC|LIMIT <small> <small>|BY <pattern>|GET <pattern>|GET #} STORE <l>
    SORT (<l>|<S>|<z>) {DESC|ASC|LIMIT <small> <small>|BY <pattern>|GET <pattern>|GET #} STORE <l>
    SORT (<l>|<S>|<z>) ALPHA STORE <l>`,
  sets: `
    SADD <S> (<member>)*
    SREM <S> (<member>)*
    ~SPOP <S>
    ~SPOP <S> <count>
    SMOVE <S> <S> <member>
    (SUNIONSTORE|SINTERSTORE|SDIFFSTORE) <S> (<S>)*`,
  zsets: `
    ZADD <z> (<score> <member>)*
    ZADD <z> {NX|XX|GT|LT|CH|INCR} (<score> <member>)*
    ZADD <z> {NX|XX|GT|LT|CH} (<score> <member>)*
    ZADD <z> INCR <score> <member>
    ZADD <f> (0 <member>)*
    ZINCRBY <z> <score> <member>
    ZREM <z> (<member>)*
    (ZPOPMIN|ZPOPMAX) <z> (|<count>)
    ZMPOP #(<z>)* (MIN|MAX) (|COUNT <count>)
    (BZPOPMIN|BZPOPMAX) (<z>)* 0.001
    BZMPOP 0.001 #(<z>)* (MIN|MAX) (|COUNT <count>)
    ZREMRANGEBYRANK <z> <rank> <rank>
    ZREMRANGEBYSCORE <z> <bound> <bound>
    ZREMRANGEBYLEX <f> <lex> <lex>
    ZRANGESTORE <z> <z> <rank> <rank> (|REV)
    ZRANGESTORE <z> <z> <bound> <bound> BYSCORE {REV|LIMIT <small> <small>}
    ZRANGESTORE <f> <f> <lex> <lex> BYLEX {REV|LIMIT <small> <small>}
    ZRANGESTORE <z> <z> <bound> <bound> {BYSCORE|BYLEX|REV|LIMIT <small> <small>|WITHSCORES}
    (ZUNIONSTORE|ZINTERSTORE) <z> #(<z>|<S>)*
    (ZUNIONSTORE|ZINTERSTORE) <z> 2 (<z>|<S>) <z> {WEIGHTS <score> <score>|AGGREGATE (SUM|MIN|MAX|x)}
    ZDIFFSTORE <z> #(<z>|<S>)*`,
  geo: `
    GEOADD <g> {NX|XX|CH} (<lon> <lat> <member>)*
    GEORADIUS <g> <lon> <lat> <distance> (m|km|ft|mi) {COUNT <count>|ASC|DESC|WITHDIST} (STORE|STOREDIST) <z>
    GEORADIUSBYMEMBER <g> <member> <distance> (m|km) {COUNT <count> ANY|COUNT <count>|ASC|DESC} (STORE|STOREDIST) <z>
    GEOSEARCHSTORE <z> <g> (FROMLONLAT <lon> <lat>|FROMMEMBER <member>) (BYRADIUS <distance> km|BYBOX <distance> <distance> mi) {ASC|DESC|COUNT <count>|STOREDIST}`,
  hashes: `
    HSET <h> (<member> <text>)*
    HMSET <h> (<member> <text>)*
    HSET <h> <member> <text> <member>
    HSETNX <h> <member> <text>
    HDEL <h> (<member>)*
    HINCRBY <h> <member> <integer>
    HINCRBYFLOAT <h> <member> <float>
    HEXPIRE <h> <seconds> (|NX|XX|GT|LT) FIELDS #(<member>)*
    HPEXPIRE <h> <millis> (|NX|XX|GT|LT) FIELDS #(<member>)*
    HEXPIREAT <h> <at> (|NX|XX|GT|LT) FIELDS #(<member>)*
    HPEXPIREAT <h> <atms> (|NX|XX|GT|LT) FIELDS #(<member>)*
    ~HPEXPIRE <h> <soon> FIELDS #(<member>)*
    HPERSIST <h> FIELDS #(<member>)*
    HGETDEL <h> FIELDS #(<member>)*
    HGETEX <h> (|PERSIST|EX <seconds>|PX <millis>|EXAT <at>|PXAT <atms>) FIELDS #(<member>)*
    HSETEX <h> {FNX|FXX|KEEPTTL|EX <seconds>|PXAT <atms>|EXAT <at>} FIELDS #(<member> <text>)*`,
  streams: `
    XADD <x> <newid> (<member> <text>)*
    XADD <x> {NOMKSTREAM|MAXLEN (|=) <count>|MINID (|=) <id>} <newid> (a|b) <text>
    XADD <x> MAXLEN ~ <count> (|LIMIT <count>) <newid> a <text> b <text>
    ~XADD <x> {NOMKSTREAM|MAXLEN (|=|~) <count>} * (<member> <text>)*
    XTRIM <x> (MAXLEN|MINID) (|=) (<count>|<id>)
    ~XTRIM <x> (MAXLEN|MINID) ~ (<count>|<id>) (|LIMIT <count>)
    XDEL <x> (<id>)*
    XSETID <x> <id> {ENTRIESADDED <count>|MAXDELETEDID <id>}
    XGROUP CREATE <x> <group> <lastid> {MKSTREAM|ENTRIESREAD <small>}
    XGROUP CREATE <x> <group> <lastid> MKSTREAM
    XGROUP SETID <x> <group> <lastid> (|ENTRIESREAD <small>)
    XGROUP DESTROY <x> <group>
    XGROUP CREATECONSUMER <x> <group> <consumer>
    XGROUP DELCONSUMER <x> <group> <consumer>
    XREADGROUP GROUP <group> <consumer> {COUNT <count>|NOACK} STREAMS <x> (>|0|<id>)
    XREADGROUP GROUP <group> <consumer> COUNT 3 STREAMS <x> <x> > >
    XACK <x> <group> (<id>)*
    XCLAIM <x> <group> <consumer> (0|<small>) (<id>)* {TIME <atms>|RETRYCOUNT <small>|FORCE|JUSTID|LASTID <id>}
    XCLAIM <x> <group> <consumer> 0 (<id>)* {IDLE <small>|RETRYCOUNT <count>|FORCE}
    XAUTOCLAIM <x> <group> <consumer> 0 (-|0|<id>) {COUNT <count>|JUSTID}
    XDELEX <x> (|KEEPREF|DELREF|ACKED) IDS #(<id>)*
    XACKDEL <x> <group> (|KEEPREF|DELREF|ACKED) IDS #(<id>)*
    XNACK <x> <group> (SILENT|FAIL|FATAL) IDS #(<id>)* {RETRYCOUNT <count>|FORCE}
    XCFGSET <x> {IDMP-DURATION <count>|IDMP-MAXSIZE <count>}
    XIDMPRECORD <x> <producer> <message> <id>
    [xidmprecord] XADD <x> (IDMP <producer> <message>|IDMPAUTO <producer>) <newid> a <text>`,
  keys: `
    (DEL|UNLINK) (<any>)*
    EXPIRE <any> <seconds> {NX|XX|GT|LT}
    PEXPIRE <any> <millis> (|NX|XX|GT|LT)
    EXPIREAT <any> <at> (|NX|XX|GT|LT)
    PEXPIREAT <any> <atms> (|NX|XX|GT|LT)
    ~PEXPIRE <any> <soon>
    PERSIST <any>
    (RENAME|RENAMENX) <any> <any>
    COPY <any> <any> {REPLACE|DB <db>}
    COPY <any> <any> REPLACE
    MOVE <any> <db>
    SWAPDB <db> <db>
    SELECT <db>
    RESTORE <any> (0|<millis>) <payload> {REPLACE|IDLETIME <count>|FREQ <count>}
    RESTORE <any> <atms> <payload> REPLACE ABSTTL
    RESTORE-ASKING <any> 0 <payload> REPLACE`,
  // Before 5 scripts are logged as they are called: what @chance does is up to chance then.
  scripts: `
    FUNCTION LOAD (|REPLACE) <library>
    FUNCTION DELETE (lib0|lib1|x)
    FUNCTION FLUSH (|ASYNC|SYNC|x)
    FUNCTION RESTORE <libraries> (|FLUSH|APPEND|REPLACE)
    ~FCALL (lib0_f|lib1_f|lib2_f) 2 <s> <l> <text>
    EVAL @incr 2 <s> <l> <text>
    ~EVAL @fails 1 <s> <text>
    EVAL @loop 1 <h> <count>
    ~[xadd] EVAL @chance 1 <S>
    ~EVALSHA @sha 2 <s> <l> <text>
    ~SCRIPT LOAD @incr
    ~SCRIPT FLUSH
    ~PUBLISH channel <text>`,
  new: `
    ARSET <a> <index> (<text>)*
    ARMSET <a> (<index> <text>)*
    ARDEL <a> (<index>)*
    ARDELRANGE <a> (<index> <index>)*
    ARINSERT <a> (<text>)*
    ARRING <a> <count> (<text>)*
    ARSEEK <a> <index>
    DELEX <s> (|IFEQ <text>|IFNE <text>)
    DELIFEQ <s> <text>
    INCREX <s> {BYINT <integer>|BYFLOAT <float>|EX <seconds>|PXAT <atms>|PERSIST|LBOUND <small>|UBOUND <integer>|SATURATE|OVERFLOW (FAIL|SAT)}
    MSETEX #(<s> <text>)* {NX|XX|KEEPTTL|PXAT <atms>|EX <seconds>}
    [delex] SET <s> <text> (IFEQ|IFNE) <text>
    [delifeq] SET <s> <text> IFEQ <text>
    [xdelex] BITOP (DIFF|DIFF1|ANDOR|ONE) <b> (<b>)*
    VADD <v> VALUES 3 <vector> <vector> <vector> <member> {NOQUANT|SETATTR <text>}
    VADD <v> VALUES 3 <vector> <vector> <vector> <member>
    VREM <v> <member>
    VSETATTR <v> <member> <text>`,
  flush: `
    FLUSHDB (|ASYNC|SYNC|x)
    FLUSHALL (|ASYNC|SYNC)`,
};

const INCR = "redis.call('INCRBY', KEYS[1], 3) return redis.call('RPUSH', KEYS[2], ARGV[1])";

/** Scripts, too long for a template. */
const SCRIPTS: Readonly<Record<string, string>> = {
  '@incr': INCR,
  '@fails':
    "redis.call('APPEND', KEYS[1], ARGV[1]) redis.call('LPUSH', KEYS[1], 'x') redis.call('DEL', KEYS[1])",
  '@loop':
    "for i = 1, math.min(20, tonumber(ARGV[1]) or 2) do redis.pcall('HSET', KEYS[1], 'i' .. i, i) end redis.pcall('HINCRBY', KEYS[1], 'i1', 5)",
  '@chance': "redis.call('SPOP', KEYS[1]) redis.call('PEXPIRE', KEYS[1], 900000)",
  '@sha': createHash('sha1').update(INCR).digest('hex'),
};

/** Every form; the first word of a template may be a choice of names. */
export const FORMS: Readonly<Record<string, readonly Form[]>> = Object.fromEntries(
  Object.entries(FAMILIES).map(([family, lines]) => [
    family,
    lines
      .trim()
      .split('\n')
      .flatMap((line) => formsOf(line.trim())),
  ]),
);

/** In how many of a hundred commands each family comes. */
const WEIGHTS: Readonly<Record<string, number>> = {
  strings: 18,
  lists: 13,
  sets: 8,
  zsets: 14,
  geo: 3,
  hashes: 12,
  streams: 14,
  keys: 11,
  scripts: 3,
  new: 6,
  flush: 0.4,
}; // prettier-ignore

function formsOf(line: string): Form[] {
  const [, only, needs, names, rest] = /^(~?)(?:\[(\w+)\] )?(\([^)]*\)|\S+)(.*)$/.exec(line)!;
  return names!
    .replace(/[()]/g, '')
    .split('|')
    .map((name) => formOf(name, rest!, only === '~', needs ?? null));
}

function formOf(name: string, rest: string, client: boolean, needs: string | null): Form {
  const made: Template = template(`${name}${rest}`);
  const subcommand = /^(XGROUP|FUNCTION|SCRIPT)$/.test(name) ? `|${rest.trim().split(' ')[0]}` : '';
  return {
    name: `${name}${subcommand}`.toLowerCase(),
    client,
    needs,
    make: (draw) =>
      made
        .make(draw.random, draw.draw)
        .map((word) => (typeof word === 'string' ? (SCRIPTS[word.toLowerCase()] ?? word) : word)),
  };
}

/** Forms to draw from, each as often as its family comes. */
export function choose(
  random: Random,
  known: (form: Form) => boolean,
  only: readonly string[] | null,
): () => Form {
  const families = Object.entries(FORMS)
    .filter(([family]) => only === null || only.includes(family))
    .map(([family, forms]) => ({ forms: forms.filter(known), weight: WEIGHTS[family]! }))
    .filter(({ forms }) => forms.length > 0);
  const total = families.reduce((sum, { weight }) => sum + weight, 0);
  return () => {
    let left = (random.below(1 << 30) / (1 << 30)) * total;
    for (const { forms, weight } of families) {
      left -= weight;
      if (left < 0) return random.pick(forms);
    }
    return random.pick(families[0]!.forms);
  };
}
