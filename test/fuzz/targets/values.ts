import { MemoryTarget } from '../../../src/bytes/target.js';
import { FormatError } from '../../../src/errors.js';
import { ELEMENTS, ITEMS, KeyHead, RAW, SKIP } from '../../../src/model/handler.js';
import { NdjsonDecoder } from '../../../src/ndjson/decoder.js';
import { NdjsonWriter } from '../../../src/ndjson/writer.js';
import { RdbDecoder } from '../../../src/rdb/decoder.js';
import { decodeModuleValue } from '../../../src/rdb/modules/decode.js';
import { PayloadDecoder } from '../../../src/rdb/payload.js';
import { RdbWriter } from '../../../src/rdb/writer.js';
import { RDB_TARGETS } from '../../../src/rdb/writer-target.js';
import { RdbRelay } from '../../../src/tools/relay.js';
import { feed } from '../feed.js';
import { Fingerprint } from '../fingerprint.js';
import { LINES, RDB, withChecksum } from '../grammars.js';
import { archived, texts, withMode } from '../seeds.js';
import { Broken, type Target } from '../target.js';
import { rdbTokens } from '../tokens.js';
import { DIALECTS, rdbSeeds } from './rdb.js';

const DEPTHS = [SKIP, RAW, ITEMS, ELEMENTS] as const;

/** The record of a file's only key as DUMP gives it. */
function payloadsOf(files: readonly Buffer[]): Buffer[] {
  return files.flatMap((file) => {
    const [, record] = RDB.split(file) ?? [];
    if (record === undefined) return [];
    const at = record[0] === 0xfc ? 9 : record[0] === 0xfd ? 5 : 0;
    const name = record[at + 1]!;
    if (name >= 64) return [];
    const value = Buffer.concat([record.subarray(at, at + 1), record.subarray(at + 2 + name)]);
    return [
      withChecksum(
        Buffer.concat([value, Buffer.of(Number(file.latin1Slice(7, 9)) || 11, 0), Buffer.alloc(8)]),
      ),
    ];
  });
}

const dump: Target = {
  name: 'dump',
  modeBytes: 1,
  bytesMax: 1500,
  weight: 2,
  tokens: rdbTokens(),
  repair: withChecksum,
  seeds: () => withMode(payloadsOf(rdbSeeds()), [0x09], [0x0d], [0x05]),
  run(bytes) {
    const mode = bytes[0] ?? 0;
    const told = new Fingerprint(DEPTHS[(mode >> 2) & 3]!);
    const head = new KeyHead();
    head.key.set(Buffer.from('key'), 0, 3);
    const decoder = new PayloadDecoder({
      product: DIALECTS[(mode >> 4) & 7] ?? 'redis',
      deep: (mode & 1) !== 0,
    });
    if ((mode & 2) !== 0) decoder.functions(bytes, 1, bytes.length, told, 100);
    else decoder.value(bytes, 1, bytes.length, head, told, 100);
  },
};

/** Values of modules, as they stand in files. */
const modules: Target = {
  name: 'module-values',
  bytesMax: 3000,
  tokens: rdbTokens(),
  seeds() {
    const found: Buffer[] = [];
    for (const bytes of archived('modules', /\.rdb$/, 60_000)) {
      for (const part of (RDB.split(bytes) ?? []).slice(1, -1)) {
        const at = part[0] === 0xfc ? 9 : 0;
        const name = part[at + 1]!;
        if (part[at] === 7 && name < 64 && part.length < 3000) found.push(part.subarray(at + 2 + name));
      }
    }
    return found;
  },
  run(bytes) {
    const reading = decodeModuleValue(bytes, { bytesMax: 1 << 20, itemsMax: 1 << 16 });
    if ((reading.data === null) === (reading.problem === null))
      throw new Broken('a module value has data or a problem');
  },
};

function told(bytes: Buffer, dialect: (typeof DIALECTS)[number] = null): string | null {
  const fingerprint = new Fingerprint(ITEMS);
  try {
    feed(
      new RdbDecoder(fingerprint, { verifyChecksum: true, deep: true, dialect: dialect ?? undefined }),
      bytes,
    );
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
  return fingerprint.text32;
}

/** What reads of an RDB is written as NDJSON and as an RDB, and says the same when it is read again. */
const again: Target = {
  name: 'rewritten-rdb',
  modeBytes: 1,
  bytesMax: 1500,
  weight: 2,
  tokens: rdbTokens(),
  grammar: RDB,
  repair: withChecksum,
  seeds: () => withMode(rdbSeeds(), [0], [1], [2], [3]),
  run(bytes) {
    const mode = bytes[0] ?? 0;
    const body = bytes.subarray(1);
    const dialect = DIALECTS[(mode >> 4) & 7]!;
    const before = told(body, dialect);
    if (before === null) return;
    const target = new MemoryTarget();
    const options = { verifyChecksum: true, deep: true, dialect: dialect ?? undefined };
    if ((mode & 1) === 0) {
      const writer = new NdjsonWriter(target, { frame: 'lines', lineBytes: mode & 2 ? 64 : 1 << 20 });
      feed(new RdbDecoder(new RdbRelay(writer), options), body);
      writer.finish();
      const fingerprint = new Fingerprint(ITEMS);
      feed(new NdjsonDecoder(fingerprint), Buffer.from(target.bytes()));
      if (fingerprint.text32 !== before)
        throw new Broken('NDJSON says what the RDB said', [before, fingerprint.text32]);
      return;
    }
    let losses = 0;
    const writer = new RdbWriter(target, {
      target: RDB_TARGETS.get('redis-8.8')!,
      compress: (mode & 2) !== 0,
      checksum: true,
      copyValues: (mode & 4) !== 0,
      aofBase: false,
      nowSeconds: 1772366400,
      onLoss: () => losses++,
    });
    feed(new RdbDecoder(writer, options), body);
    const after = told(Buffer.from(target.bytes()));
    if (after === null) throw new Broken('an RDB that was written reads');
    if (losses === 0 && after !== before)
      throw new Broken('an RDB that was written says what the first said', [before, after]);
  },
};

const WORDS =
  '{"rekindle":"ndjson" "version":1 {"db":0 "key": "type": "string" "hash" "zset" "set" "list" "stream" "array" "module" "value": "expiresAtMs": "ttl": ' +
  '"part": "last":true {"base64":"AAEC"} {"function":" {"moduleAux": {"aux": null [] {} 1e400 -0 "inf" "-inf" "nan" 18446744073709551615 "0-1"';

const ndjson: Target = {
  name: 'ndjson',
  bytesMax: 3000,
  weight: 2,
  tokens: texts(...WORDS.split(' '), '"', '\\u0000', '\ud800'.slice(1), ',', '}', ']', '\n'),
  grammar: LINES,
  seeds() {
    return rdbSeeds().flatMap((bytes) => {
      const target = new MemoryTarget();
      const writer = new NdjsonWriter(target, { frame: 'lines', lineBytes: 200 });
      try {
        feed(new RdbDecoder(new RdbRelay(writer), { verifyChecksum: true, deep: true }), bytes);
      } catch {
        return [];
      }
      writer.finish();
      return [Buffer.from(target.bytes())];
    });
  },
  run(bytes) {
    const first = new Fingerprint(ITEMS);
    feed(new NdjsonDecoder(first), bytes);
    const target = new MemoryTarget();
    const writer = new NdjsonWriter(target, { frame: 'lines', lineBytes: 300 });
    feed(new NdjsonDecoder(new RdbRelay(writer)), bytes);
    writer.finish();
    const second = new Fingerprint(ITEMS);
    feed(new NdjsonDecoder(second), Buffer.from(target.bytes()));
    if (first.text32 !== second.text32)
      throw new Broken('NDJSON that was read and written says the same', [first.text32, second.text32]);
  },
};

export const targets: readonly Target[] = [dump, modules, again, ndjson];
