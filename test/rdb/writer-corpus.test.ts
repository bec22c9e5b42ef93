import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pumpSource } from '../../src/bytes/pump.js';
import { MemorySource } from '../../src/bytes/source.js';
import { MemoryTarget } from '../../src/bytes/target.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import type { RdbHandler } from '../../src/rdb/handler.js';
import { type RdbLoss, RdbWriter } from '../../src/rdb/writer.js';
import { RdbCopier } from '../../src/rdb/writer-copier.js';
import { RDB_TARGETS, type RdbTarget } from '../../src/rdb/writer-target.js';
import { CORPUS_SERVERS, rdbCases } from '../support/corpus.js';
import { Recorder } from '../support/recorder.js';

async function tell(bytes: Buffer, handler: RdbHandler): Promise<void> {
  await pumpSource(new MemorySource(bytes), new RdbDecoder(handler, { verifyChecksum: true, deep: true }));
}

async function write(bytes: Buffer, target: RdbTarget, copyValues: boolean, losses: string[] = []) {
  const into = new MemoryTarget();
  const onLoss = (_: unknown, what: RdbLoss) => losses.push(what);
  await tell(
    bytes,
    new RdbWriter(into, {
      target,
      compress: true,
      checksum: true,
      copyValues,
      aofBase: false,
      nowSeconds: 1,
      onLoss,
    }),
  );
  return into.bytes();
}

async function recorded(bytes: Buffer): Promise<Recorder> {
  const recorder = new Recorder();
  await tell(bytes, recorder);
  return recorder;
}

const TARGET_OF: Record<string, string> = {
  'redis-2.4': 'redis-2.4',
  'redis-2.8.24': 'redis-2.8',
  'redis-3.2.13': 'redis-3.2',
  'redis-4.0.14': 'redis-4.0',
  'redis-5.0.14': 'redis-5.0',
  'redis-6.2.16': 'redis-6.2',
  'redis-7.0-rc1': 'redis-7.0',
  'redis-7.0.15': 'redis-7.0',
  'redis-7.2.6': 'redis-7.2',
  'redis-7.4-rc1': 'redis-7.4',
  'redis-7.4.1': 'redis-7.4',
  'redis-8.0-m01': 'redis-8.0',
  'valkey-7.2': 'valkey-7.2',
  'valkey-8.1': 'valkey-8.1',
};

for (const server of CORPUS_SERVERS) {
  const name = TARGET_OF[server];
  if (name === undefined) continue;
  const target = RDB_TARGETS.get(name)!;
  describe(server, () => {
    for (const rdb of rdbCases(server)) {
      it(rdb.name, async () => {
        const bytes = readFileSync(rdb.path);
        const copy = new MemoryTarget();
        await tell(bytes, new RdbCopier(copy, () => true));
        expect(copy.bytes().equals(bytes)).toBe(true);
        const want = await recorded(bytes);
        const losses: string[] = [];
        const a = await recorded(await write(bytes, target, true, losses));
        expect(a.keys).toEqual(want.keys);
        const b = await recorded(await write(bytes, target, false, losses));
        expect(b.keys).toEqual(want.keys);
        expect(b.libraries).toEqual(want.libraries);
        expect(losses).toEqual([]);
      });
    }
  });
}
