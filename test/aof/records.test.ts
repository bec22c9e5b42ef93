import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { NO_CUT } from '../../src/aof/cut.js';
import { type AofRecord, type ReadAofOptions, readAof } from '../../src/aof/records.js';
import { type ByteSource, MemorySource } from '../../src/bytes/source.js';
import { RdbSink } from '../../src/rdb/handler.js';
import { aofCases, corpusPath } from '../support/corpus.js';
import { resp } from '../support/resp.js';

const memory = (text: string) => new MemorySource(Buffer.from(text, 'latin1'), 'log.aof');

async function collect(source: string | ByteSource, options: ReadAofOptions = {}) {
  const batches: AofRecord[][] = [];
  const iterator = readAof(source, options);
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return { batches, records: batches.flat(), end: next.value };
    batches.push(next.value);
  }
}

describe('readAof', () => {
  test('gives owned commands with their places', async () => {
    const { records, end } = await collect(memory(resp('#TS:5', 'SELECT 3', 'SET a b', 'MULTI', 'EXEC')));
    expect(records.map(({ args, ...rest }) => [args.map(String).join(' '), rest])[1]).toEqual([
      'SET a b',
      {
        file: 'log.aof',
        offset: 30,
        length: 27,
        number: 2,
        timeMs: 5000,
        database: 3,
        inTransaction: false,
      },
    ]);
    expect(records.map(({ inTransaction }) => inTransaction)).toEqual([false, false, true, true]);
    expect(end.stoppedAt).toMatchObject({ offset: 86, reason: 'end' });
  });

  test('keeps what it gave while it goes on', async () => {
    const text = resp(...Array.from({ length: 5000 }, (_, i) => `SET key:${i} ${'v'.repeat(i % 90)}x`));
    const { batches, records } = await collect(memory(text), { batch: 7 });
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(7);
    expect(records.map(({ args }) => String(args[1]))).toEqual(
      Array.from({ length: 5000 }, (_, i) => `key:${i}`),
    );
  });

  test('reads a directory as its truth has it, the preamble told on the side', async () => {
    const found = aofCases('redis-7.0.15').find(({ name }) => name === 'workload')!;
    let keys = 0;
    class Keys extends RdbSink {
      override keyEnd(): void {
        keys++;
      }
    }
    const { records } = await collect(found.path, { rdb: new Keys() });
    const { name, commands } = found.truth.last_file;
    expect(records.filter(({ file }) => file === name)).toHaveLength(commands);
    expect(keys).toBeGreaterThan(10);
  });

  test('stops at a cut', async () => {
    const { records, end } = await collect(memory(resp('PING', 'PING')), { cut: { ...NO_CUT, commands: 1 } });
    expect(records).toHaveLength(1);
    expect(end.stoppedAt.reason).toBe('command');
  });

  test('gives what stands before damage, then throws', async () => {
    const seen: number[] = [];
    const reading = (async () => {
      for await (const batch of readAof(memory(`${resp('PING', 'PING', 'PING')}x`), { batch: 2 })) {
        seen.push(batch.length);
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'aof/bad-prefix', offset: 42 });
    expect(seen).toEqual([2, 1]);
  });

  test('closes its files when left early', async () => {
    const path = corpusPath('redis-7.0.15', 'workload');
    const before = readdirSync('/proc/self/fd').length;
    for await (const batch of readAof(path, { batch: 1 })) {
      expect(batch).toHaveLength(1);
      break;
    }
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  test('can be aborted, before and between batches', async () => {
    const text = memory(resp(...Array.from({ length: 100 }, () => 'PING')));
    const already = collect(text, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(already).rejects.toThrow('enough');
    const controller = new AbortController();
    let batches = 0;
    const later = (async () => {
      for await (const _ of readAof(text, { batch: 1, signal: controller.signal })) {
        if (++batches === 3) controller.abort(new Error('enough'));
      }
    })();
    await expect(later).rejects.toThrow('enough');
    expect(batches).toBeLessThan(10);
  });

  test('an empty log has no batches', async () => {
    expect((await collect(memory(''))).batches).toEqual([]);
  });
});
