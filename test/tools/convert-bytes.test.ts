import { isUtf8 } from 'node:buffer';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { type SampleKey, type SampleValue, tell } from '../property/sample.js';
import { Random } from '../support/random.js';
import { memoryWriter } from '../support/rdb.js';
import { temporaryDirectory } from '../support/temporary.js';

const room = temporaryDirectory('bytes');

/** Texts that programs trip over: each stands as a name, an element, a field and a value. */
const TEXTS: readonly Buffer[] = [
  ...Array.from({ length: 256 }, (_, byte) => Buffer.from([byte])),
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  ...[
    '',
    '__proto__',
    'constructor',
    'toString',
    '0',
    '-0',
    '"',
    '\\',
    '\\u0000',
    '\u2028\u2029',
    '\ufeff',
  ].map((text) => Buffer.from(text)),
  // Lone surrogates, too long, cut, beyond the last character; and characters of two, three and four bytes.
  ...['eda080', 'edbfbf', 'eda080edb080', 'c080', 'e282', 'f4908080', 'c3a9', 'e282ac', 'f09f9880'].map(
    (hex) => Buffer.from(hex, 'hex'),
  ),
];
const ODD = [...new Map(TEXTS.map((text) => [text.toString('hex'), text])).values()];
const SCORES = [1e308, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 0.1, 2 ** 53 + 2];

function dataset(): SampleKey[] {
  const keys: SampleKey[] = [];
  const add = (key: Buffer, value: SampleValue): void => {
    keys.push({ db: 0, key, expiresAtMs: -1, value });
  };
  for (const text of ODD) add(text, { kind: 'string', text });
  const named = (name: string) => Buffer.from(`all:${name}`);
  add(named('list'), { kind: 'list', elements: ODD });
  add(named('set'), { kind: 'set', elements: ODD });
  add(named('hash'), { kind: 'hash', fields: ODD.map((text) => [text, text, -1]) });
  // So many that a server holds them by their scores as they are: packed, -0 loses its sign.
  add(named('zset'), { kind: 'zset', members: ODD.map((text, i) => [text, SCORES[i % SCORES.length]!]) });
  const id = { msHigh: 0, msLow: 1, seqHigh: 0, seqLow: 1 };
  add(named('stream'), {
    kind: 'stream',
    entries: [[id, ODD.map((text) => [text, text] as const)]],
    lastId: id,
    maxDeletedId: { ...id, seqLow: 0, msLow: 0 },
    entriesAdded: 1,
    groups: [{ name: ODD[200]!, lastId: id, entriesRead: 1, pending: [], consumers: [[ODD[0]!, 5, []]] }],
  });
  return keys;
}

const bytesOf = (text: string | { readonly base64: string }): Buffer =>
  typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.base64, 'base64');

test('NDJSON is JSON line by line, and keeps every byte of names and values', async () => {
  const keys = dataset();
  const { writer, written } = memoryWriter('redis-7.2');
  tell(keys, writer, new Random(1));
  writer.finish();
  mkdirSync(room, { recursive: true });
  const [from, lines, back] = ['from.rdb', 'lines.ndjson', 'back.rdb'].map((name) => join(room, name));
  writeFileSync(from!, written().bytes);
  expect((await runCli(['convert', from!, lines!])).exit).toBe(0);

  const bytes = readFileSync(lines!);
  expect(isUtf8(bytes)).toBe(true);
  const text = bytes.toString();
  // Nothing that a terminal or a program that splits at other ends of lines would act on.
  expect(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(text)).toBe(false);
  expect(text.endsWith('\n')).toBe(true);
  const records = text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line));
  const told = new Map(records.slice(1).map(({ key, value }) => [bytesOf(key).toString('hex'), value]));
  expect(told.size).toBe(keys.length);
  for (const odd of ODD) expect(bytesOf(told.get(odd.toString('hex'))).equals(odd)).toBe(true);
  const all = (name: string) => told.get(Buffer.from(`all:${name}`).toString('hex'));
  expect(all('list').map(bytesOf)).toEqual(ODD);
  expect(all('hash').map(([name, value]: string[]) => [bytesOf(name!), bytesOf(value!)])).toEqual(
    ODD.map((odd) => [odd, odd]),
  );
  expect(all('stream')[0].fields.map(([name]: string[]) => bytesOf(name!))).toEqual(ODD);
  const scores = new Map<string, unknown>(
    all('zset').map(([member, score]: [string, unknown]) => [bytesOf(member).toString('hex'), score]),
  );
  const inJson = (score: number) => (Number.isFinite(score) ? score : score > 0 ? 'inf' : '-inf');
  for (const [i, odd] of ODD.entries()) {
    const wanted = inJson(SCORES[i % SCORES.length]!);
    if (!Object.is(scores.get(odd.toString('hex')), wanted))
      expect([odd, scores.get(odd.toString('hex'))]).toBe(wanted);
  }

  expect((await runCli(['convert', lines!, back!])).exit).toBe(0);
  const [one, two] = [await runCli(['digest', from!]), await runCli(['digest', back!])];
  expect(two.stdout).toBe(one.stdout);
  expect((await runCli(['diff', from!, back!])).exit).toBe(0);
});
