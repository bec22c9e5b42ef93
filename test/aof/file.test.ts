import { expect, test } from 'vitest';
import { type AofFileHandler, AofFileMachine } from '../../src/aof/file.js';
import type { CommandRole } from '../../src/aof/transaction.js';
import { pumpSource } from '../../src/bytes/pump.js';
import { MemorySource } from '../../src/bytes/source.js';
import { RdbDecoder } from '../../src/rdb/decoder.js';
import { RdbSink } from '../../src/rdb/handler.js';
import type { CommandSpans } from '../../src/resp/command.js';
import { SKIM, WHOLE } from '../../src/resp/scanner.js';
import { inEveryWay, type Outcome, RespRecorder } from '../support/chop-resp.js';
import { corpusBytes } from '../support/corpus.js';
import { resp } from '../support/resp.js';

class FileRecorder extends RespRecorder implements AofFileHandler {
  commandsStart(offset: number): void {
    this.events.push(`commands from ${offset}`);
  }

  override command(command: CommandSpans, role?: CommandRole): void {
    super.command(command);
    this.events.push(`role ${role}`);
  }
}

/** In both modes, which must agree. `safeCut` stands in the outcome's lastGood. */
async function read(text: string | Buffer): Promise<Outcome> {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const outcomes: Outcome[] = [];
  for (const mode of [WHOLE, SKIM] as const) {
    const make = (pauses: boolean) => {
      const recorder = new FileRecorder(pauses);
      const decoder = () => new RdbDecoder(new RdbSink(), { verifyChecksum: true, deep: false });
      const machine = new AofFileMachine(recorder, decoder, mode);
      return { machine, events: recorder.events, drain: () => recorder.drain() };
    };
    outcomes.push(await inEveryWay(bytes, make));
  }
  expect(outcomes[1]).toEqual(outcomes[0]);
  return outcomes[0]!;
}

test('commands with their part in transactions', async () => {
  const { events, error, lastGood } = await read(resp('PING', 'MULTI', 'MULTI', 'EXEC', 'EXEC'));
  expect(events).toEqual([
    'commands from 0',
    '0+14 "PING"',
    'role 0',
    '14+15 "MULTI"',
    'role 1',
    '29 aof/nested-multi',
    '29+15 "MULTI"',
    'role 2',
    '44+14 "EXEC"',
    'role 3',
    '58 aof/exec-without-multi',
    '58+14 "EXEC"',
    'role 0',
  ]);
  expect(error).toBe(null);
  expect(lastGood).toBe(72);
});

test('an empty file', async () => {
  expect(await read('')).toEqual({ events: ['commands from 0'], error: null, lastGood: 0 });
});

test('a preamble with commands behind it', async () => {
  const rdb = corpusBytes('redis-7.0.15', 'empty.rdb');
  const { events, error, lastGood } = await read(Buffer.concat([rdb, Buffer.from(resp('PING', '#TS:5'))]));
  const end = rdb.length;
  expect(events).toEqual([
    `commands from ${end}`,
    `${end}+14 "PING"`,
    'role 0',
    `${end + 14}+7 "#TS:5\\r\\n" 5`,
  ]);
  expect(error).toBe(null);
  expect(lastGood).toBe(end + 21);
});

test('a preamble cut anywhere is fatal, and nothing of it is safe', async () => {
  const rdb = corpusBytes('redis-7.0.15', 'empty.rdb');
  for (let length = 6; length < rdb.length; length++) {
    const recorder = new FileRecorder();
    const decoder = () => new RdbDecoder(new RdbSink(), { verifyChecksum: true, deep: false });
    const machine = new AofFileMachine(recorder, decoder, SKIM);
    const reading = pumpSource(new MemorySource(rdb.subarray(0, length)), machine);
    await expect(reading).rejects.toMatchObject({ code: 'rdb/truncated' });
    expect(machine.safeCut).toBe(0);
    expect(recorder.events).toEqual([]);
  }
});

test('garbage behind a preamble is damage where it stands', async () => {
  const rdb = corpusBytes('redis-7.0.15', 'empty.rdb');
  const { error, lastGood } = await read(Buffer.concat([rdb, Buffer.from('garbage')]));
  expect(error).toBe(`aof/bad-prefix@${rdb.length} {"expected":"*","found":103}`);
  expect(lastGood).toBe(rdb.length);
});

test('the safe cut is before an open transaction, wherever the end falls', async () => {
  const text = resp('PING', 'MULTI', 'INCR a', 'INCR b');
  for (let end = 15; end <= text.length; end++) {
    const { error, lastGood } = await read(text.slice(0, end));
    const whole = [29, 50, 71].includes(end);
    expect(error).toContain(whole ? 'aof/open-transaction@14' : 'aof/torn-tail@');
    expect(error).toContain('"safeCut":14');
    expect(lastGood).toBe(14);
  }
});

test('damage inside a transaction leaves the cut before it, too', async () => {
  const { error, lastGood } = await read(`${resp('PING', 'MULTI', 'INCR a')}x`);
  expect(error).toContain('aof/bad-prefix@50');
  expect(lastGood).toBe(14);
});
