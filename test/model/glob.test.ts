import { describe, expect, test } from 'vitest';
import { Glob } from '../../src/model/glob.js';
import { Random } from '../support/random.js';
import { describeServer, TestServer } from '../support/server.js';

const matches = (pattern: string, text: string, ignoreCase = false) =>
  new Glob(pattern, ignoreCase).matches(Buffer.from(text, 'latin1'));

describe('glob', () => {
  test.each([
    ['*', 'anything', true],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a', '', false],
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['h*llo', 'hllo', true],
    ['h*llo', 'heeeello!', false],
    ['h[ae]llo', 'hallo', true],
    ['h[^e]llo', 'hello', false],
    ['h[^e]llo', 'hallo', true],
    ['h[a-b]llo', 'hbllo', true],
    ['h[b-a]llo', 'hbllo', true],
    ['[a-]', '^', true],
    ['[a-]', '-', false],
    ['[]a]', 'a', false],
    ['[^]', 'x', true],
    ['[abc', 'b', true],
    ['[abc', 'd', false],
    ['[\\]]', ']', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a\\', 'a\\', true],
    ['user:*:cart', 'user:7:cart', true],
    ['*a*b*c*', '--a-b--c', true],
    ['*a*b*c*', '--a-c--b', false],
  ])('%j on %j: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  test('case is ignored when asked, but not behind a backslash in a set', () => {
    expect(matches('FLUSH*', 'flushall', true)).toBe(true);
    expect(matches('[A-C]x', 'bX', true)).toBe(true);
    expect(matches('\\Ab', 'aB', true)).toBe(true);
    expect(matches('[\\A]', 'a', true)).toBe(false);
    expect(matches('flush*', 'FLUSHALL')).toBe(false);
  });

  test('only the range given counts', () => {
    expect(new Glob('b?').matches(Buffer.from('abcd'), 1, 3)).toBe(true);
  });

  test('a pattern made to be slow is not', () => {
    const started = performance.now();
    expect(matches(`${'a*'.repeat(50)}b`, 'a'.repeat(20_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describeServer('glob as the server matches it', () => {
  test('patterns of every kind on keys of every byte', async () => {
    const server = await TestServer.start({ writable: true });
    try {
      const random = new Random(11);
      const alphabet = ['a', 'b', 'c', '*', '?', '[', ']', '^', '-', '\\', '\x80', '\xe9', '\xff', '\0'];
      const word = (size: number) =>
        Array.from({ length: random.below(size) }, () => random.pick(alphabet)).join('');
      const keys = [...new Set(Array.from({ length: 300 }, () => `k${word(6)}`))];
      const client = server.client;
      for (const key of keys) await client.call('SET', Buffer.from(key, 'latin1'), '1');
      for (let i = 0; i < 700; i++) {
        const pattern = `k${word(9)}`;
        const reply = (await client.callBuffer('KEYS', Buffer.from(pattern, 'latin1'))) as Buffer[];
        const theirs = reply.map((key) => key.latin1Slice()).sort();
        const ours = keys.filter((key) => matches(pattern, key)).sort();
        expect(ours, JSON.stringify(pattern)).toEqual(theirs);
      }
    } finally {
      await server.stop();
    }
  });
});
