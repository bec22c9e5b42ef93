import { mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { NO_CUT } from '../../src/aof/cut.js';
import { openAofSet } from '../../src/aof/set.js';
import { CommandPattern } from '../../src/resp/pattern.js';
import { EVERY_COMMAND } from '../../src/tools/log/filter.js';
import { followLog, type LogEntry, type LogRecord } from '../../src/tools/log/list.js';
import { runCli } from '../cli/memory-io.js';
import { resp } from '../support/resp.js';
import { describeServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';
import { testContext } from '../tools/context.js';

const END = new CommandPattern('SET the:end');
const options = { cut: { ...NO_CUT, before: [END] }, conditions: EVERY_COMMAND, dialect: null, batch: 64 };

const wordsOf = ({ args }: LogRecord): string => args.map((arg) => arg.latin1Slice()).join(' ');

/** Which a server logs as a transaction over two databases. */
const PUSH_TWICE = "for db = 1, 0, -1 do redis.call('SELECT', db) redis.call('LPUSH', 'l', ARGV[1]) end";

/** Follows a log until `SET the:end`. */
async function follow(path: string, onFirst = () => {}): Promise<{ entries: LogEntry[]; words: string[] }> {
  const entries: LogEntry[] = [];
  for await (const batch of followLog(await openAofSet(path), options, testContext())) {
    entries.push(...batch);
    if (batch.some(({ kind }) => kind === 'caught-up')) onFirst();
  }
  const words = entries.filter((entry) => entry.kind === 'command').map(wordsOf);
  return { entries, words };
}

describeServer('a log that a server is writing', () => {
  it('is followed across rewrites, every command once and in order', async () => {
    const settings = { appendonly: 'yes', appendfsync: 'no', 'aof-timestamp-enabled': 'yes' };
    await withServer({ writable: true, settings }, async ({ client, directory }) => {
      await client.set('n', 'first');
      const { following } = await joined(directory);
      let sent = 0;
      const load = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i += 50) {
          const pipeline = client.pipeline();
          for (let k = 0; k < 50; k++) pipeline.set('n', `${sent++}`);
          pipeline.eval(PUSH_TWICE, 0, sent);
          await pipeline.exec();
          if (i % 500 === 0) await sleep(1);
        }
      };
      for (let rewrite = 0; rewrite < 5; rewrite++) {
        await load(400);
        await client.bgrewriteaof();
        do await load(100);
        while (/aof_rewrite_(in_progress|scheduled):1/.test(await client.info('persistence')));
      }
      await load(400);
      await client.set('the:end', '1');
      const { entries, words } = await following;
      const told = words.filter((line) => /^SET n \d/i.test(line)).map((line) => Number(line.slice(6)));
      expect(told).toEqual(Array.from({ length: sent }, (_, i) => i));
      const pushed = entries.filter((entry) => entry.kind === 'command' && /^LPUSH/i.test(wordsOf(entry)));
      expect(pushed.map((entry) => (entry as LogRecord).database).join('')).toBe('10'.repeat(sent / 50));
      expect(pushed.every((entry) => (entry as LogRecord).transaction !== null)).toBe(true);
      expect(entries.filter(({ kind }) => kind === 'file').length).toBeGreaterThanOrEqual(7);
      expect(entries.filter(({ kind }) => kind === 'finding')).toEqual([]);
    });
  });

  it('can be joined at its end', async () => {
    const settings = { appendonly: 'yes', appendfsync: 'no' };
    await withServer({ writable: true, settings }, async ({ client, directory }) => {
      for (const key of ['a', 'b', 'c']) await client.set(key, '1');
      const argv = ['log', directory, '--follow', '--last', '1', '--before', 'SET the:end', '--json'];
      const printed: string[] = [];
      const running = runCli(argv, { onPrint: (text) => printed.push(text) });
      await until(() => printed.join('').includes('"c"'));
      await client.set('d', '1');
      await client.bgrewriteaof();
      await client.set('e', '1');
      await client.set('the:end', '1');
      const { stdout, exit } = await running;
      const keys = [...stdout.matchAll(/"args":\["SET","(.)"/gi)].map(([, key]) => key);
      expect({ keys, exit }).toEqual({ keys: ['c', 'd', 'e'], exit: 0 });
    });
  });
});

/** Follows a log; resolves once all that is there has come. */
async function joined(path: string): Promise<{ following: ReturnType<typeof follow> }> {
  let following: ReturnType<typeof follow>;
  await new Promise<void>((resolve) => (following = follow(path, resolve)));
  return { following: following! };
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(5);
};

/** A set of one increment that a test writes to as a server would. */
function liveSet(): {
  directory: string;
  put: (seq: number, text: string) => void;
  name: (...seqs: number[]) => void;
} {
  const directory = join(temporaryDirectory('follow'), 'appendonlydir');
  mkdirSync(directory);
  const put = (seq: number, text: string) =>
    writeFileSync(join(directory, `a.${seq}.incr.aof`), text, { flag: 'a' });
  const name = (...seqs: number[]) => {
    const lines = seqs.map((seq) => `file a.${seq}.incr.aof seq ${seq} type i\n`);
    writeFileSync(join(directory, 'temp'), lines.join(''));
    renameSync(join(directory, 'temp'), join(directory, 'a.manifest'));
  };
  return { directory, put, name };
}

it('waits in the middle of a record, and hands over what is whole', async () => {
  const { directory, put, name } = liveSet();
  const record = resp('SET a 1');
  put(1, record + record.slice(0, 9));
  name(1);
  const seen: string[] = [];
  const done = (async () => {
    for await (const batch of followLog(await openAofSet(directory), options, testContext())) {
      seen.push(...batch.map(({ kind }) => kind));
    }
  })();
  await until(() => seen.length >= 2);
  expect(seen).toEqual(['file', 'command']);
  put(1, record.slice(9));
  await until(() => seen.length >= 4);
  expect(seen).toEqual(['file', 'command', 'command', 'caught-up']);
  put(1, resp('SET the:end 1'));
  await done;
});

it('says when a log that is followed is cut, replaced, or was rewritten unseen', async () => {
  const cut = liveSet();
  cut.put(1, resp('SET a 1'));
  cut.name(1);
  const { following: ofCut } = await joined(cut.directory);
  truncateSync(join(cut.directory, 'a.1.incr.aof'), 5);
  await expect(ofCut).rejects.toMatchObject({ code: 'input/changed', message: /was cut to 5 bytes/ });

  const gap = liveSet();
  gap.put(1, resp('SET a 1'));
  gap.name(1);
  const { following: ofGap } = await joined(gap.directory);
  gap.put(3, resp('SET b 1'));
  gap.name(3);
  await expect(ofGap).rejects.toMatchObject({ message: /increment \(number 2\) that was gone/ });

  const file = join(temporaryDirectory('follow'), 'appendonly.aof');
  writeFileSync(file, resp('SET a 1'));
  const { following: ofFile } = await joined(file);
  writeFileSync(`${file}.new`, resp('SET a 1'));
  renameSync(`${file}.new`, file);
  await expect(ofFile).rejects.toMatchObject({ message: /is another log now/ });
});

it('ends with 130 when it is interrupted, and refuses what does not grow', async () => {
  const { directory, put, name } = liveSet();
  put(1, resp('SET a 1'));
  name(1);
  const { Interrupted } = await import('../../src/cli/io.js');
  const abort = new AbortController();
  let printed = '';
  const onPrint = (text: string) => (printed += text);
  const running = runCli(['log', directory, '-f'], { signal: abort.signal, onPrint });
  await until(() => printed.includes('SET a 1'));
  abort.abort(new Interrupted('interrupted'));
  const { exit, stdout } = await running;
  expect(exit).toBe(130);
  expect(stdout).toContain('SET a 1');
  expect((await runCli(['log', '-', '-f'], { stdin: Buffer.from(resp('SET a 1')) })).exit).toBe(2);
});
