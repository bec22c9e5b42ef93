import { describe, expect, it } from 'vitest';
import { printable, quotedBytes } from '../../src/cli/render/escape.js';
import { hintOf, messageOf } from '../../src/cli/render/findings.js';
import { jsonBytes, jsonLine, jsonReport } from '../../src/cli/render/json.js';
import { count, counted, duration, instant, offset, size } from '../../src/cli/render/numbers.js';
import { ProgressLine, progressText } from '../../src/cli/render/progress.js';
import { Style } from '../../src/cli/render/style.js';
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
    expect(written).toEqual(['\ra  1 B\u001b[K', '\ra  10 kB, 5.0 kB/s\u001b[K']);
    line.clear();
    line.clear();
    expect(written.slice(2)).toEqual(['\r\u001b[2K']);
  });
});

describe('the progress of several inputs', () => {
  const recorded = (columns = 80) => {
    const screen = { now: 0, columns, written: [] as string[] };
    const output = {
      write: (text: string | Uint8Array) => screen.written.push(String(text)) > 0,
      once: () => {},
      get columns() {
        return screen.columns;
      },
    };
    return { screen, line: new ProgressLine(output, () => screen.now) };
  };

  it('adds up what was gone through, and says at the end how long it took', () => {
    const { screen, line } = recorded();
    const keys = (count: number) => ({ items: { count, what: 'keys' as const } });
    line.update({ phase: 'checking', label: 'a.rdb', done: 5e6, total: 10e6, ...keys(50) });
    screen.now = 2000;
    line.update({ phase: 'checking', label: 'a.rdb', done: 10e6, total: 10e6, ...keys(100) });
    line.update({ phase: 'checking', label: 'b.rdb', done: 1e6, total: 4e6, ...keys(1) });
    screen.now = 4000;
    line.update({ phase: 'checking', label: 'b.rdb', done: 4e6, total: 4e6, ...keys(2) });
    line.finish();
    line.finish();
    expect(screen.written).toEqual([
      '\rchecking a.rdb  [############] 100%  10 MB of 10 MB, 2.5 MB/s, 100 keys\u001b[K',
      '\rchecking b.rdb  [############] 100%  4.0 MB of 4.0 MB, 1.5 MB/s, 2 keys\u001b[K',
      '\r\u001b[2K',
      'took 4.0 s, 14 MB, 3.5 MB/s, 102 keys\n',
    ]);
  });

  it('says which of several it is', () => {
    const { screen, line } = recorded();
    screen.now = 2000;
    line.input = '2/5';
    line.update({ phase: 'checking', label: 'a', done: 1, total: null });
    expect(screen.written).toEqual(['\r2/5 checking a  1 B\u001b[K']);
  });

  it('says nothing at the end of work that was too short to show any', () => {
    const { screen, line } = recorded();
    line.update({ label: 'a', done: 1, total: 2 });
    screen.now = 900;
    line.finish();
    expect(screen.written).toEqual([]);
  });

  it('takes another pass over the same input for one of its own', () => {
    const { screen, line } = recorded();
    line.update({ label: 'a', done: 100e6, total: 100e6 });
    screen.now = 10_000;
    line.update({ label: 'a', done: 10e6, total: 100e6 });
    screen.now = 12_000;
    line.update({ label: 'a', done: 30e6, total: 100e6 });
    expect(screen.written.at(-1)).toContain('30 MB of 100 MB, 10 MB/s, 7.0 s left');
  });

  it('tells the rate of the last seconds, not that of long ago', () => {
    const { screen, line } = recorded();
    for (let second = 0; second <= 60; second++) {
      screen.now = second * 1000;
      line.update({
        label: 'a',
        done: second <= 30 ? second * 100e6 : 3000e6 + (second - 30) * 1e6,
        total: 4e9,
      });
    }
    expect(screen.written.at(-1)).toContain('1.0 MB/s');
  });

  it('fits a window that has become narrower, and writes nothing twice', () => {
    const { screen, line } = recorded(80);
    screen.now = 2000;
    const progress = { phase: 'checking', label: 'dump.rdb', done: 1e6, total: 2e6 };
    line.update(progress);
    screen.now = 3000;
    screen.columns = 30;
    line.update({ ...progress, done: 1.2e6 });
    expect(screen.written[0]!.replace(/\r|\u001b\[K/g, '').length).toBeLessThan(80);
    expect(screen.written[1]!.replace(/\r|\u001b\[K/g, '').length).toBeLessThan(30);
    const before = screen.written.length;
    screen.now = 3000 + 60_000;
    line.update({ ...progress, done: 1.2e6 });
    screen.now += 1000;
    line.update({ ...progress, done: 1.2e6 });
    expect(screen.written.length).toBeLessThanOrEqual(before + 1);
  });

  it('counts keys as keys', () => {
    const text = progressText(
      { phase: 'sending to', label: 'redis://x', done: 5000, total: 20000, unit: 'keys' },
      1000,
      100,
    );
    expect(text).toBe(
      'sending to redis://x  [######..................]  25%  5,000 of 20,000 keys, 1,000/s, 15.0 s left',
    );
  });

  it('colours the bar only where colours are wanted, and never cuts one in half', () => {
    const progress = { label: 'a', done: 1, total: 2 };
    expect(progressText(progress, 0, 80)).not.toContain('\u001b');
    expect(progressText(progress, 0, 80, new Style(true))).toContain('\u001b[32m############\u001b[39m');
    expect(progressText(progress, 0, 20, new Style(true))).not.toContain('\u001b');
  });

  it('shows no control bytes of a name', () => {
    expect(progressText({ label: 'a\u001b[2J\n', done: 1, total: null }, 0, 80)).toBe('a\\x1b[2J\\n  1 B');
  });
});

describe('the words for findings', () => {
  it.each(Object.keys(FINDINGS) as FindingCode[])('%s has a message and a hint', (code) => {
    expect(WORDS[code].says).toMatch(/^\S.{10,}[^.:]$/);
    expect(WORDS[code].hint).toMatch(/^\S.{10,}[^.]$/);
    const cut = { code, where: { file: 'dir/a.aof', offset: 3, trail: [] }, detail: { safeCut: 27 } };
    for (const finding of [cut, { ...cut, detail: {} }]) {
      expect(hintOf(finding, '')).not.toMatch(/[{}]/);
      expect(hintOf(finding, "'my file'", true)).not.toMatch(/[{}]|SOURCE/);
    }
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
