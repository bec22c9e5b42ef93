import { describe, expect, test } from 'vitest';
import { pump } from '../../src/bytes/pump.js';
import { ByteWindow, END, NEED } from '../../src/bytes/window.js';
import { RespScanner, SKIM, WHOLE } from '../../src/resp/scanner.js';
import { DribblingReader, inEveryWay, type Outcome, RespRecorder } from '../support/chop-resp.js';
import { Random } from '../support/random.js';

/** Both modes, in every way of feeding; they must agree on anything small. */
async function scan(text: string): Promise<Outcome> {
  const bytes = Buffer.from(text, 'latin1');
  const [whole, skim] = await Promise.all(
    [WHOLE, SKIM].map((mode) =>
      inEveryWay(bytes, (pauses) => {
        const recorder = new RespRecorder(pauses);
        return {
          machine: new RespScanner(recorder, mode as typeof WHOLE),
          events: recorder.events,
          drain: () => recorder.drain(),
        };
      }),
    ),
  );
  expect(skim).toEqual(whole);
  return whole!;
}

const SET = '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$7\r\nvalue12\r\n';

describe('commands', () => {
  test('in canonical form', async () => {
    expect(await scan(`${SET}*1\r\n$4\r\nPING\r\n`)).toEqual({
      events: ['0+33 "SET" "k" "value12"', '33+14 "PING"'],
      error: null,
      lastGood: 47,
    });
  });

  test('with empty and binary arguments', async () => {
    const { events } = await scan('*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\0\xff\r\n');
    expect(events).toEqual(['0+29 "SET" "" "\\r\\n\\u0000\xff"']);
  });

  test('with more arguments than fit at first', async () => {
    const args = Array.from({ length: 130 }, (_, i) => `a${i}`);
    const text = `*130\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
    const { events } = await scan(text);
    expect(events).toEqual([`0+${text.length} ${args.map((arg) => JSON.stringify(arg)).join(' ')}`]);
  });

  test('an empty input is a valid end', async () => {
    expect(await scan('')).toEqual({ events: [], error: null, lastGood: 0 });
  });
});

describe('what servers load and redis-check-aof refuses', () => {
  test.each([
    ['a line that ends with LF alone', '*1\n$4\r\nPING\r\n', 0],
    ['an argument line that ends with LF alone', '*1\r\n$4\nPING\r\n', 4],
    ['text behind a number', '*1\r\n$4 x\r\nPING\r\n', 4],
    ['other bytes than CR LF after the last argument', '*1\r\n$4\r\nPINGXY', 12],
  ])('%s is a flaw', async (_, text, offset) => {
    const { events, error } = await scan(text);
    expect(events).toEqual([`${offset} aof/loose-framing`, `0+${text.length} "PING"`]);
    expect(error).toBe(null);
  });

  test('other bytes than CR LF between arguments, when an argument follows', async () => {
    const { events } = await scan(`*2\r\n$4\r\nECHO..$1\r\nx\r\n${SET}`);
    expect(events).toEqual(['12 aof/loose-framing', '0+21 "ECHO" "x"', '21+33 "SET" "k" "value12"']);
  });

  test('one flaw is told for one command', async () => {
    const { events } = await scan('*2\n$4\nECHO\r\n$1\nx\r\n');
    expect(events.filter((event) => event.endsWith('loose-framing'))).toEqual(['0 aof/loose-framing']);
  });
});

test.each([
  ['leading zeros', '*01\r\n$004\r\nPING\r\n'],
  ['a plus sign', '*+1\r\n$+4\r\nPING\r\n'],
  ['blanks before the number', '* 1\r\n$\t4\r\nPING\r\n'],
])('%s are fine with everybody', async (_, text) => {
  expect((await scan(text)).events).toEqual([`0+${text.length} "PING"`]);
});

test('a length without a number is zero where zero bytes follow', async () => {
  expect((await scan('*2\r\n$4\r\nECHO\r\n$\r\n\r\n')).events).toEqual(['0+19 "ECHO" ""']);
});

describe('damage', () => {
  test.each([
    ['no record', 'SET a b\r\n', 'aof/bad-prefix@33 {"expected":"*","found":83}'],
    ['a zero byte', '\0', 'aof/bad-prefix@33 {"expected":"*","found":0}'],
    ['no argument', '*1\r\n*4\r\nPING\r\n', 'aof/bad-prefix@37 {"expected":"$","found":42}'],
    ['no arguments at all', '*0\r\n', 'aof/bad-argument-count@33 {"found":"*0"}'],
    ['a negative count', '*-1\r\n', 'aof/bad-argument-count@33 {"found":"*-1"}'],
    ['a count that is text', '*x\r\n', 'aof/bad-argument-count@33 {"found":"*x"}'],
    ['a count beyond 32 bits', '*2147483648\r\n', 'aof/bad-argument-count@33 {"found":"*2147483648"}'],
    ['an empty count', '*\r\n', 'aof/bad-argument-count@33 {"found":"*"}'],
    ['a negative length', '*1\r\n$-5\r\nPING\r\n', 'aof/bad-bulk-length@37 {"found":"$-5"}'],
    ['a length that is text', '*1\r\n$ab\r\nPING\r\n', 'aof/bad-bulk-length@37 {"found":"$ab"}'],
    [
      'a length of no number at all',
      `*1\r\n$${'9'.repeat(30)}\r\nPING\r\n`,
      `aof/bad-bulk-length@37 {"found":"$${'9'.repeat(30)}"}`,
    ],
    ['a length too short', '*1\r\n$3\r\nPING\r\n*', 'aof/bad-line-end@44 {"found":"470d"}'],
    ['a length too long', '*1\r\n$5\r\nPING\r\n*1\r\n', 'aof/bad-line-end@46 {"found":"0a2a"}'],
    ['LF alone throughout', '*1\n$4\nPING\n*1\n$4\nPING\n', 'aof/bad-line-end@43 {"found":"0a2a"}'],
  ])('%s', async (_, text, error) => {
    const outcome = await scan(SET + text);
    expect(outcome).toEqual({ events: ['0+33 "SET" "k" "value12"'], error, lastGood: 33 });
  });

  test('a number line longer than any server reads', async () => {
    const { error } = await scan(`*1${' '.repeat(1100)}`);
    expect(error).toMatch(/^aof\/bad-argument-count@0 /);
  });
});

describe('a torn tail', () => {
  test('anywhere in a command', async () => {
    const text = `${SET}*2\r\n$3\r\nDEL\r\n$12\r\nabcdefghijkl\r\n`;
    for (let end = 34; end < text.length; end++) {
      const { events, error, lastGood } = await scan(text.slice(0, end));
      expect(events).toEqual(['0+33 "SET" "k" "value12"']);
      expect(error).toMatch(new RegExp(`^aof/torn-tail@33 {"end":${end},"missing":\\d+}$`));
      expect(lastGood).toBe(33);
    }
  });

  test('says how much is missing at least', async () => {
    expect((await scan('*1\r\n$10\r\nabc')).error).toBe('aof/torn-tail@0 {"end":12,"missing":9}');
    expect((await scan('*1\r\n$999999999\r\nabc')).error).toBe(
      'aof/torn-tail@0 {"end":19,"missing":999999998}',
    );
  });

  test('two unchecked bytes are complete only if nothing more is wanted', async () => {
    expect((await scan('*2\r\n$4\r\nECHOXY')).error).toBe('aof/torn-tail@0 {"end":14,"missing":1}');
  });
});

describe('annotations', () => {
  test('timestamps and others', async () => {
    const { events } = await scan(`#TS:1772366426\r\n${SET}#\n#HDR:v1;len:5;\r\n`);
    expect(events).toEqual([
      '0+16 "#TS:1772366426\\r\\n" 1772366426',
      '16+33 "SET" "k" "value12"',
      '49+2 "#\\n" NaN',
      '51+16 "#HDR:v1;len:5;\\r\\n" NaN',
    ]);
  });

  test.each(['#TS:12x\r\n', '#TS:\r\n', '#TS:12\n', '#TS:99999999999999999999\r\n'])(
    '%j is no time',
    async (text) => {
      const { events, error } = await scan(text);
      expect(events).toEqual(['0 aof/bad-annotation', `0+${text.length} ${JSON.stringify(text)} NaN`]);
      expect(error).toBe(null);
    },
  );

  test.each([
    ['#TS:-5\r\n', -5],
    ['#TS: +7\r\n', 7],
  ])('%j reads as redis-check-aof reads it', async (text, seconds) => {
    expect((await scan(text)).events).toEqual([`0+${text.length} ${JSON.stringify(text)} ${seconds}`]);
  });

  test('one that the end cuts is told, and not good', async () => {
    const { events, error, lastGood } = await scan(`${SET}#TS:17723`);
    expect(events.slice(1)).toEqual(['33 aof/torn-annotation', '33+9 "#TS:17723" NaN']);
    expect(error).toBe(null);
    expect(lastGood).toBe(33);
  });

  test('of 1023 bytes is the longest', async () => {
    const line = `#${'x'.repeat(1020)}\r\n`;
    expect((await scan(line + SET)).events).toHaveLength(2);
    const { error, lastGood } = await scan(`${SET}#x${line.slice(1)}${SET}`);
    expect(error).toBe('aof/annotation-too-long@33 {"max":1023}');
    expect(lastGood).toBe(33);
  });

  test('a longer one is split where the rest looks like a record, as servers do', async () => {
    const { events } = await scan(`#${'x'.repeat(1022)}#rest\r\n${SET}`);
    expect(events[0]).toBe('0 aof/loose-framing');
    expect(events.slice(2)).toEqual(['1023+7 "#rest\\r\\n" NaN', '1030+33 "SET" "k" "value12"']);
  });
});

describe('skimming', () => {
  const skim = (bytes: Buffer) =>
    inEveryWay(bytes, (pauses) => {
      const recorder = new RespRecorder(pauses);
      return {
        machine: new RespScanner(recorder, SKIM),
        events: recorder.events,
        drain: () => recorder.drain(),
      };
    });

  test('walks past large arguments and keeps the first ones', () => {
    const value = 'v'.repeat(99_998);
    const bytes = Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$99998\r\n${value}\r\n${SET}`);
    const window = new ByteWindow();
    window.bytes = bytes;
    const recorder = new RespRecorder();
    const scanner = new RespScanner(recorder, SKIM);
    for (window.end = 0; window.end < bytes.length; window.end = Math.min(bytes.length, window.end + 977)) {
      expect(scanner.run(window)).toBe(NEED);
      // Never waits for more than a small window holds.
      expect(window.end - window.position).toBeLessThan(40_000);
      expect(window.need).toBeLessThan(40_000);
    }
    expect(scanner.run(window)).toBe(NEED);
    scanner.finish(window);
    expect(recorder.events).toEqual(['0+100028 "SET" "k" of 3', '100028+33 "SET" "k" "value12"']);
  });

  test('walks past commands of many arguments', async () => {
    const many = Buffer.from(`*9000\r\n$4\r\nSADD\r\n$1\r\nk\r\n${'$1\r\nm\r\n'.repeat(8998)}${SET}`);
    const outcome = await skimQuickly(many);
    expect(outcome).toEqual([
      `0+${many.length - 33} "SADD" "k" "m" "m" "m" "m" "m" "m" of 9000`,
      `${many.length - 33}+33 "SET" "k" "value12"`,
    ]);
  });

  test.each([
    ['torn in the argument', -5],
    ['torn before its line end', -1],
  ])('%s', (_, cut) => {
    const large = `*2\r\n$4\r\nECHO\r\n$40000\r\n${'x'.repeat(40_000)}\r\n`;
    const recorder = new RespRecorder();
    const scanner = new RespScanner(recorder, SKIM);
    const window = new ByteWindow();
    window.bytes = Buffer.from(SET + large.slice(0, cut));
    window.end = 35_000;
    scanner.run(window);
    window.end = window.bytes.length;
    scanner.run(window);
    expect(() => scanner.finish(window)).toThrow('aof/torn-tail at offset 33');
    expect(scanner.lastGood).toBe(33);
  });

  test('finds damage inside large commands', async () => {
    const bytes = Buffer.from(`*3\r\n$4\r\nSADD\r\n$40000\r\n${'x'.repeat(40_000)}\r\n+1\r\nm\r\n`);
    const scanner = new RespScanner(new RespRecorder(), SKIM);
    const window = new ByteWindow();
    window.bytes = bytes;
    window.end = 36_000;
    scanner.run(window);
    window.end = bytes.length;
    expect(() => scanner.run(window)).toThrow('aof/bad-prefix at offset 40024');
  });

  test('a claimed length beyond the input is asked for and not read for', () => {
    const scanner = new RespScanner(new RespRecorder(), SKIM);
    const window = new ByteWindow();
    window.bytes = Buffer.from(`*1\r\n$99999999999\r\n${'x'.repeat(50_000)}`);
    window.end = window.bytes.length;
    window.limit = 1_000_000_000;
    expect(scanner.run(window)).toBe(NEED);
    expect(window.reaches(window.need)).toBe(false);
  });

  test('tells loose framing inside large commands, and takes it at the very end', () => {
    const body = 'x'.repeat(40_000);
    const loose = `*2\r\n$4\r\nECHOab$40000\n${body}cd`;
    const run = (text: string, steps: readonly number[]) => {
      const recorder = new RespRecorder();
      const scanner = new RespScanner(recorder, SKIM);
      const window = new ByteWindow();
      window.bytes = Buffer.from(text);
      for (const end of [...steps, text.length]) {
        window.end = end;
        scanner.run(window);
      }
      scanner.finish(window);
      return recorder.events;
    };
    const wanted = ['12 aof/loose-framing', `0+${loose.length} "ECHO" of 2`];
    expect(run(loose, [35_000])).toEqual(wanted);
    expect(run(loose, [35_000, loose.length - 1])).toEqual(wanted);
    expect(run(loose + SET, [35_000, loose.length])).toEqual([
      ...wanted,
      `${loose.length}+33 "SET" "k" "value12"`,
    ]);
    expect(() => run(`${loose}x`, [35_000])).toThrow(`aof/bad-line-end at offset ${loose.length - 2}`);
  });

  test('agrees with gathering on what commands there are, however the bytes come', async () => {
    const random = new Random(31);
    let text = '';
    for (let i = 0; i < 40; i++) {
      const args = Array.from({ length: 1 + random.below(random.once(5) ? 4000 : 4) }, () =>
        'y'.repeat(random.once(200) ? 90_000 : random.below(20)),
      );
      text += `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
    }
    const bytes = Buffer.from(text);
    const places = async (mode: typeof WHOLE | typeof SKIM, sizes: readonly number[], chunkBytes: number) => {
      const recorder = new RespRecorder();
      const reader = new DribblingReader(bytes, sizes);
      await pump(reader, new ByteWindow(), new RespScanner(recorder, mode), { chunkBytes });
      return recorder.events.map((event) => event.split(' ')[0]);
    };
    const whole = await places(WHOLE, [1 << 20], 1 << 20);
    expect(whole).toHaveLength(40);
    for (const [size, chunk] of [
      [1 << 20, 1 << 20],
      [10_000, 7000],
      [997, 50_000],
      [50_000, 33],
    ] as const) {
      expect(await places(SKIM, [size], chunk)).toEqual(whole);
      expect(await places(WHOLE, [size], chunk)).toEqual(whole);
    }
  });

  test('small inputs read alike in every way', async () => {
    expect((await skim(Buffer.from(SET))).events).toEqual(['0+33 "SET" "k" "value12"']);
  });
});

async function skimQuickly(bytes: Buffer): Promise<string[]> {
  const recorder = new RespRecorder();
  const scanner = new RespScanner(recorder, SKIM);
  const window = new ByteWindow();
  window.bytes = bytes;
  for (window.end = 40_000; window.end < bytes.length; window.end += 1) scanner.run(window);
  scanner.run(window);
  scanner.finish(window);
  return recorder.events;
}

test('stops for good when the handler says so', () => {
  const recorder = new RespRecorder(true);
  recorder.stopped = true;
  const window = new ByteWindow();
  window.bytes = Buffer.from(SET + SET);
  window.end = 66;
  expect(new RespScanner(recorder, WHOLE).run(window)).toBe(END);
  expect(recorder.events).toHaveLength(1);
  expect(window.position).toBe(33);
});

describe('random damage', () => {
  const random = new Random(20260301);
  const text = `#TS:1772366426\r\n${SET}*2\r\n$3\r\nDEL\r\n$2\r\nxy\r\n*1\r\n$4\r\nPING\r\n`;

  test('every byte replaced gives the same answer in every way of feeding', async () => {
    for (let at = 0; at < text.length; at++) {
      const bytes = Buffer.from(text);
      bytes[at] = random.below(256);
      await scan(bytes.latin1Slice());
    }
  });
});
