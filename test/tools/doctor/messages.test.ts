import { describe, expect, test } from 'vitest';
import { SERVER_MESSAGES } from '../../../src/tools/doctor/catalog.js';
import { saidIn } from '../../../src/tools/doctor/log-lines.js';
import type { ServerMessage } from '../../../src/tools/doctor/message.js';
import { recognise } from '../../../src/tools/doctor/recognise.js';
import { templateOf } from '../../../src/tools/doctor/template.js';
import { CORRUPT_SERVERS, corruptCases, type LoadTruth } from '../../support/corpus.js';
import { THOROUGH } from '../../support/effort.js';

/** What is filled in for conversions, so that a wording becomes the line a server logs. */
const SAMPLE: Readonly<Record<string, string>> = {
  file: 'appendonly.aof.1.incr.aof',
  dir: '/var/lib/redis',
  error: 'No space left on device',
  command: 'FOOBAR',
  key: 'user:1',
  entry: 'file a.aof seq 1 type x',
};

const lineOf = (says: string): string =>
  says.replace(/\{(#?)(\w+)\}/g, (_all, number: string, name: string) =>
    number === '#' ? '4711' : (SAMPLE[name] ?? 'thing'),
  );

/** Names that are known without the line. */
const PLACES = ['dir', 'rdb', 'log', 'out', 'target', 'writers', 'where', 'keyText', 'loaded', 'entryText'];

describe.each(SERVER_MESSAGES.map((message) => [message.id, message] as const))('%s', (_id, message) => {
  test('is recognised in each of its wordings, and nothing else is', () => {
    for (const { text } of message.says) {
      const line = `12:M 22 Nov 2026 10:00:00.123 # ${lineOf(text)}`;
      const [first, ...others] = recognise(line);
      expect(first?.message.id, text).toBe(message.id);
      const longer = others.filter(
        ({ message: other }) => !lineOf(text).includes(other.says[0]!.text.slice(0, 12)),
      );
      expect(
        longer.filter(({ saying }) => templateOf(saying.text).weight > 0.8 * templateOf(text).weight),
        text,
      ).toEqual([]);
    }
  });

  test('tells only what its wordings or the directory say', () => {
    const always = message.says
      .map(({ text }) => namesIn(text))
      .reduce((a, b) => a.filter((x) => b.includes(x)));
    const texts = [
      message.means,
      message.data,
      ...message.never,
      ...message.remedies.map(({ command }) => command),
    ];
    for (const text of texts) {
      for (const [all, name, otherwise] of text.matchAll(/\{(\w+)(\|[^{}]*)?\}/g)) {
        const isKnown = PLACES.includes(name!) || always.includes(name!) || otherwise !== undefined;
        expect(isKnown, `${all} in: ${text}`).toBe(true);
      }
    }
  });
});

const namesIn = (text: string): string[] => [...text.matchAll(/\{#?(\w+)\}/g)].map(([, name]) => name!);

test('ids are unique, and so are wordings', () => {
  const ids = SERVER_MESSAGES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const says = SERVER_MESSAGES.flatMap((message) => message.says.map(({ text }) => text));
  expect(says.filter((text, i) => says.indexOf(text) !== i)).toEqual([]);
});

test('what must not be done reads on after its label', () => {
  for (const { never } of SERVER_MESSAGES) {
    for (const each of never) expect(each).toMatch(/do not /);
  }
});

/** Lines of a crash report, which say nothing by themselves. */
const CRASH =
  /^(#? *$|\/lib|EIP|Backtrace|------|# (------|Accessing|Crashed|Object |Failed assertion|\(forcing|bio_|redis-server|--- STACK|SIGSEGV| {4})|.*(log-?StackTrace|redis-server)|[ _.`'\-|/]+$)/i;

/** Every day those whose wordings differ most; all of them where tests may take their time. */
const ASKED = THOROUGH ? [...CORRUPT_SERVERS] : ['redis-2.8.24', 'redis-7.0.15', 'valkey-9.1'];

/** Servers that died of this without a word in their log. */
const SPEECHLESS = ['aof-len-negative'];

describe.each(ASKED)('what %s logged about damaged files', (server) => {
  const loads = corruptCases(server).flatMap(({ name, truth }) =>
    Object.values(truth as unknown as Record<string, unknown>)
      .filter(isLoad)
      .map((load) => ({ name, load })),
  );

  test('is explained: why it did not start, and that it did', () => {
    const silent: string[] = [];
    for (const { name, load } of loads) {
      const found = load.log
        .flatMap(saidIn)
        .flatMap(recognise)
        .map(({ message }) => message);
      const grave = found.some(({ severity }: ServerMessage) => severity === 'fatal');
      if (!load.started && !grave && load.log.length > 0 && !SPEECHLESS.includes(name)) silent.push(name);
    }
    expect(silent).toEqual([]);
  });

  test('holds no warning that is unknown', () => {
    const unknown = new Set<string>();
    for (const { load } of loads) {
      for (const line of load.log) {
        const isWarning = /(^|\d )# /.test(line) && !CRASH.test(line.replace(/^.*?(?=# )/, ''));
        if (isWarning && saidIn(line).every((said) => recognise(said).length === 0)) unknown.add(line);
      }
    }
    expect([...unknown]).toEqual([]);
  });
});

function isLoad(value: unknown): value is LoadTruth {
  return typeof value === 'object' && value !== null && Array.isArray((value as { log?: unknown }).log);
}
