import { describe, expect, it } from 'vitest';
import { printable, quotedBytes } from '../../src/cli/render/escape.js';
import { hintOf, messageOf } from '../../src/cli/render/findings.js';
import { jsonBytes, jsonLine, jsonReport } from '../../src/cli/render/json.js';
import { count, counted, duration, instant, offset, size } from '../../src/cli/render/numbers.js';
import { ProgressLine, progressText } from '../../src/cli/render/progress.js';
import { WORDS } from '../../src/cli/render/words.js';
import { FINDINGS, type FindingCode } from '../../src/model/finding.js';

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('escaping for a terminal', () => {
  it('leaves harmless text alone', () => {
    expect(printable('größe/日本語 🙂.rdb')).toBe('größe/日本語 🙂.rdb');
    expect(quotedBytes(utf8('user:größe'))).toBe('user:größe');
  });

  it.each([
    ['escape sequences', '\u001b[2J', '\\x1b[2J'],
    ['C1 controls', 'a\u009b2Jb', 'a\\xc2\\x9b2Jb'],
    ['bidirectional overrides', 'a\u202eb', 'a\\xe2\\x80\\xaeb'],
    ['bidirectional isolates', '\u2066', '\\xe2\\x81\\xa6'],
    ['delete, bell, backspace', '\u007f\u0007\b', '\\x7f\\x07\\x08'],
    ['zero width', 'a\u200bb\ufeff', 'a\\xe2\\x80\\x8bb\\xef\\xbb\\xbf'],
    ['tags', '\u{e0041}', '\\xf3\\xa0\\x81\\x81'],
    ['line ends', 'a\r\n\tb', 'a\\r\\n\\tb'],
  ])('shows %s as escapes', (_name, text, shown) => {
    expect(printable(text)).toBe(shown);
    expect(quotedBytes(utf8(text))).toBe(`"${shown}"`);
  });

  it('never lets any single byte through that a terminal acts on', () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(quotedBytes(String.fromCharCode(byte))).toMatch(/^("[\x20-\x7e]+"|[\x21-\x7e])$/);
    }
  });

  it('quotes what would not stand as one word, and only that', () => {
    expect(quotedBytes('')).toBe('""');
    expect(quotedBytes('a b')).toBe('"a b"');
    expect(quotedBytes('say "hi"')).toBe('"say \\"hi\\""');
    expect(quotedBytes('back\\slash')).toBe('"back\\\\slash"');
    expect(quotedBytes('\xff\x00"\\')).toBe('"\\xff\\x00\\"\\\\"');
    expect(quotedBytes(utf8('a\u00a0b'))).toBe(`"a\u00a0b"`);
  });
});

describe('JSON', () => {
  it('holds valid UTF-8 as text and anything else in base64', () => {
    expect(jsonBytes(utf8('größe\u0000'))).toBe('größe\u0000');
    expect(jsonBytes('\xff\xfe')).toEqual({ base64: '//4=' });
    expect(jsonBytes(utf8('\ud7ff'))).toBe('\ud7ff');
    expect(jsonBytes('\xed\xa0\x80')).toEqual({ base64: '7aCA' });
  });

  it('keeps integers beyond 2^53 exact, and carries its version first', () => {
    expect(jsonLine({ big: 18446744073709551615n })).toBe('{"big":"18446744073709551615"}\n');
    expect(Object.keys(JSON.parse(jsonReport({ a: 1 })) as object)).toEqual(['schemaVersion', 'a']);
  });
});

describe('numbers for people', () => {
  it('groups digits and counts nouns', () => {
    expect(count(1234567)).toBe('1,234,567');
    expect(count(18446744073709551615n)).toBe('18,446,744,073,709,551,615');
    expect(counted(1, 'key')).toBe('1 key');
    expect(counted(1000, 'entry', 'entries')).toBe('1,000 entries');
    expect(offset(4660)).toBe('4660 (0x1234)');
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9951, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [1_234_567_890_123, '1.2 TB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [59_940, '59.9 s'],
    [59_960, '1m 00s'],
    [3_599_600, '1h 00m'],
    [10 * 86_400_000, '10 days'],
  ])('%d ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('writes instants in UTC and survives those that are none', () => {
    expect(instant(1772366400000)).toBe('2026-03-01 12:00:00 UTC');
    expect(instant(1772366400123)).toBe('2026-03-01 12:00:00.123 UTC');
    expect(instant(9e18)).toBe('9000000000000000000 ms');
  });
});

describe('progress', () => {
  it('says bytes, rate and time left', () => {
    const text = progressText({ label: 'dump.rdb', done: 250e6, total: 1000e6 }, 500e6, 100);
    expect(text).toBe('dump.rdb  [######..................]  25%  250 MB of 1.0 GB, 500 MB/s, 1.5 s left');
  });

  it('fits the terminal by shortening the name from the left', () => {
    const text = progressText({ label: 'a/very/long/path/to/dump.rdb', done: 1, total: 2 }, 500, 80);
    expect(text.length).toBeLessThan(80);
    expect(text).toMatch(/^….*dump\.rdb {2}\[/);
    expect(progressText({ label: 'dump.rdb', done: 1, total: 2 }, 500, 20).length).toBeLessThan(20);
  });

  it('shows nothing in the first second, and clears what it showed', () => {
    let now = 0;
    const written: string[] = [];
    const output = { write: (text: string) => written.push(text) > 0, once: () => {}, columns: 80 };
    const line = new ProgressLine(output, () => now);
    line.update({ label: 'a', done: 1, total: null });
    now = 999;
    line.update({ label: 'a', done: 1, total: null });
    line.clear();
    expect(written).toEqual([]);
    now = 1000;
    line.update({ label: 'a', done: 1, total: null });
    now = 1050;
    line.update({ label: 'a', done: 2, total: null });
    now = 2000;
    line.update({ label: 'a', done: 10_001, total: null });
    expect(written).toEqual(['\r\u001b[2Ka  1 B', '\r\u001b[2Ka  10 kB, 5.0 kB/s']);
    line.clear();
    line.clear();
    expect(written.slice(2)).toEqual(['\r\u001b[2K']);
  });
});

describe('the words for findings', () => {
  it.each(Object.keys(FINDINGS) as FindingCode[])('%s has a message and a hint', (code) => {
    expect(WORDS[code].says).toMatch(/^\S.{10,}[^.:]$/);
    expect(WORDS[code].hint).toMatch(/^\S.{10,}[^.]$/);
    const cut = { code, where: { file: 'dir/a.aof', offset: 3, trail: [] }, detail: { safeCut: 27 } };
    for (const finding of [cut, { ...cut, detail: {} }]) expect(hintOf(finding)).not.toMatch(/[{}]/);
  });

  it('says what stood there, escaped or hidden', () => {
    const finding = {
      code: 'aof/bad-prefix',
      where: { file: 'a', offset: 3, trail: ['argument 2'] },
      detail: { expected: '$', found: '\u001b[2J' },
    } as const;
    expect(messageOf(finding, null)).toMatch(/: expected \$, found "\\x1b\[2J" \(in argument 2\)$/);
    expect(messageOf(finding, () => 'hidden')).toMatch(/: expected \$, found hidden \(in argument 2\)$/);
  });
});
