import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../src/bytes/source.js';
import { StreamSource } from '../../src/bytes/stream-source.js';
import { salvageLog } from '../../src/salvage/log-salvage.js';
import { resp } from '../support/resp.js';
import { record, SalvageRecorder, salvaged } from './log-recorder.js';

const FIRST = resp('SELECT 0', 'SET a 1');
const LAST = resp('INCR y', 'SET z 26');
/** Keys that are kept whatever stands between. */
const AROUND = ['0', 'a', 'y', 'z'];

const log = (...parts: readonly string[]): Buffer => Buffer.from(parts.join(''), 'latin1');

describe('what stands behind a damage is found', () => {
  const cases: [string, string, string][] = [
    ['a star that changed', resp('SET k v').replace('*', '+'), 'aof/bad-prefix'],
    ['a dollar that changed', resp('SET k v').replace('$1', '%1'), 'aof/bad-prefix'],
    ['a count that grew', resp('SET k v').replace('*3', '*9'), 'aof/bad-prefix'],
    ['a count that is none', resp('SET k v').replace('*3', '*x'), 'aof/bad-argument-count'],
    ['a count of zero', resp('SET k v').replace('*3', '*0'), 'aof/bad-argument-count'],
    [
      'a count that shrank, which loses its last argument',
      resp('DEL k v').replace('*3', '*2'),
      'aof/bad-prefix',
    ],
    ['a length that shrank', resp('SET key v').replace('$3\r\nkey', '$2\r\nkey'), 'aof/bad-line-end'],
    [
      'a length that took in what follows',
      resp('SET k v').replace('$1\r\nv', '$93\r\nv'),
      'aof/bad-bulk-length',
    ],
    [
      'a length that takes in more than there is',
      record('SET', 'k', 'v').replace('$1\r\nv', '$4000\r\nv'),
      'aof/bad-bulk-length',
    ],
    [
      'a length larger than any',
      record('SET', 'k', 'v').replace('$1\r\nv', '$99999999999\r\nv'),
      'aof/bad-bulk-length',
    ],
    ['a negative length', resp('SET k v').replace('$1', '$-1'), 'aof/bad-bulk-length'],
    ['a line end that is lost', resp('SET key v').replace('key\r\n', 'key'), 'aof/bad-line-end'],
    ['zeros', '\0'.repeat(5000), 'aof/bad-prefix'],
    ['a command in the inline form', 'SET k v\r\n', 'aof/bad-prefix'],
    ['a name that is none', resp('SEX k v'), 'aof/unknown-command'],
    ['an empty name', record('', 'k'), 'aof/unknown-command'],
    ['too few arguments', resp('GETSET k'), 'aof/wrong-arity'],
    ['an annotation without its line end', '#TS:1772366400', 'aof/bad-prefix'],
    ['an annotation of 2000 bytes', `#${'x'.repeat(2000)}\r\n`, 'aof/annotation-too-long'],
    ['a record cut in two', resp('SET key value').slice(0, 25), 'aof/bad-line-end'],
  ];
  test.each(cases)('%s', async (_, damaged, code) => {
    const { keys, damages, doubts, lines } = await salvaged(log(FIRST, damaged, LAST));
    expect([keys, damages.map((range) => range.code), doubts], lines.join('\n')).toEqual([
      AROUND,
      [code],
      [],
    ]);
    const [{ start, end } = { start: 0, end: 0 }] = damages;
    expect([start, end]).toEqual([FIRST.length, FIRST.length + damaged.length]);
  });

  test('in several places, records between them kept', async () => {
    const torn = '*3\r\n$3\r\nSE';
    const bytes = log(FIRST, 'rubbish', resp('SET m 1'), torn, resp('DEL n'), torn, LAST);
    const { keys, damages } = await salvaged(bytes);
    expect(keys).toEqual(['0', 'a', 'm', 'n', 'y', 'z']);
    expect(damages).toHaveLength(3);
  });

  test('where modules name their commands', async () => {
    const { keys } = await salvaged(log(FIRST, 'rubbish', resp('JSON.SET doc $ 1'), LAST));
    expect(keys).toEqual(['0', 'a', 'doc', 'y', 'z']);
  });

  test('with the annotation that belongs to it', async () => {
    const { lines } = await salvaged(log(FIRST, 'rubbish', '#TS:1772366400\r\n', LAST));
    expect(lines).toContain(`${FIRST.length + 7}+16 #`);
  });

  test('inside of a name that took in a record', async () => {
    const name = `SE${resp('INCR x')}`;
    const swallowing = record(name, 'k').replace(`$${name.length}`, `$${name.length}`);
    const { keys } = await salvaged(log(FIRST, swallowing, LAST));
    expect(keys.slice(-2)).toEqual(['y', 'z']);
    expect(keys).not.toContain('k');
  });
});

describe('the end of a log', () => {
  test('that is torn is one damage up to there', async () => {
    const whole = log(FIRST, LAST);
    for (let cut = FIRST.length + 1; cut < FIRST.length + resp('INCR y').length; cut++) {
      const { keys, damages } = await salvaged(whole.subarray(0, cut));
      expect(keys).toEqual(['0', 'a']);
      expect(damages).toMatchObject([{ code: 'aof/torn-tail', start: FIRST.length, end: cut }]);
    }
  });

  test('that is torn inside of a value with records is not believed', async () => {
    const value = resp('SET in 1', 'SET in 2', 'SET in 3');
    const whole = log(FIRST, record('SET', 'k', value));
    for (let cut = FIRST.length + 1; cut < whole.length; cut++) {
      expect((await salvaged(whole.subarray(0, cut))).keys).toEqual(['0', 'a']);
    }
  });

  test('in zeros is told whole', async () => {
    const { damages } = await salvaged(log(FIRST, '\0'.repeat(70_000)));
    expect(damages).toMatchObject([
      { code: 'aof/bad-prefix', start: FIRST.length, end: FIRST.length + 70_000 },
    ]);
  });

  test('without damage tells nothing', async () => {
    const { keys, damages, doubts } = await salvaged(log(FIRST, LAST));
    expect([keys, damages, doubts]).toEqual([AROUND, [], []]);
  });
});

describe('a block that stands twice', () => {
  const many = Array.from({ length: 40 }, (_, i) => resp(`SET key:${i} ${i * 7}`)).join('');
  const whole = log(FIRST, many, LAST);

  test('is left out, unless asked for', async () => {
    const keys = (await salvaged(whole)).keys;
    let seen = 0;
    for (let at = FIRST.length + 200; at < FIRST.length + 230; at++) {
      const damaged = Buffer.concat([whole.subarray(0, at + 400), whole.subarray(at)]);
      const without = await salvaged(damaged);
      // At some seams the two halves fit, and nothing looks damaged.
      if (without.damages.length === 0) continue;
      seen++;
      expect([at, without.keys]).toEqual([at, keys]);
      expect(without.doubts).toMatchObject([{ why: 'repeated' }]);
      const all = await salvaged(damaged, { doubtful: true });
      expect(all.keys).toHaveLength(keys.length + without.doubts[0]!.records);
    }
    expect(seen).toBeGreaterThan(15);
  });
});

describe('however the bytes come', () => {
  const value = resp('SET in 1', 'SET in 2');
  const bytes = log(
    FIRST,
    '#TS:1772366400\r\n',
    record('SET', 'big', 'x'.repeat(6000)),
    record('SET', 'k', value).replace('*3', '*4'),
    LAST,
    resp('SET k v').replace('$1\r\nk', '$71\r\nk'),
    ...Array.from({ length: 30 }, (_, i) => resp(`INCR n${i}`)),
    record('SET', 'big', 'y'.repeat(5000)).replace('*3', '*2'),
    LAST,
    resp('SET k v').slice(0, -3),
  );

  test('the same is told', async () => {
    const whole = await salvaged(bytes);
    expect(whole.damages.length).toBeGreaterThan(3);
    for (const chunkBytes of [1, 7, 64, 4096]) {
      for (const pauses of [false, true]) {
        expect((await salvaged(bytes, { chunkBytes, pauses })).lines, `${chunkBytes}`).toEqual(whole.lines);
      }
    }
  });

  test('every byte is in one range', async () => {
    const { lines } = await salvaged(bytes);
    let at = 0;
    for (const line of lines) {
      const [, start = 0, mark, number = 0] = /^(\d+)([+-])(\d+)/.exec(line) ?? [];
      if (mark === undefined) continue;
      expect(Number(start), line).toBe(at);
      at = mark === '+' ? at + Number(number) : Number(number);
    }
    expect(at).toBe(bytes.length);
  });

  test('a pipe is read up to the first damage', async () => {
    const recorder = new SalvageRecorder();
    const stream = (async function* () {
      yield new Uint8Array(bytes);
    })();
    await expect(
      salvageLog(new StreamSource(stream), 0, recorder, { doubtful: false }),
    ).rejects.toMatchObject({
      code: 'input/pipe',
    });
    expect(recorder.keys.slice(0, 2)).toEqual(['0', 'a']);
  });

  test('it can be aborted', async () => {
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    const run = salvageLog(new MemorySource(bytes), 0, new SalvageRecorder(), {
      doubtful: false,
      signal: abort.signal,
    });
    await expect(run).rejects.toThrow('enough');
  });
});
