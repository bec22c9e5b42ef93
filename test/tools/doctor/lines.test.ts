import { describe, expect, it } from 'vitest';
import { LINE_BYTES_MAX, LineCutter, saidIn, timeIn } from '../../../src/tools/doctor/log-lines.js';
import { likest, recognise } from '../../../src/tools/doctor/recognise.js';

const LINE = "# Can't handle RDB format version 12";

describe('lines', () => {
  it('are cut the same however the bytes come', () => {
    const bytes = Buffer.from('one\n\ntwo €\r\nthree');
    for (let size = 1; size <= bytes.length; size++) {
      const lines: string[] = [];
      const cutter = new LineCutter((text) => lines.push(text));
      for (let at = 0; at < bytes.length; at += size) cutter.push(bytes.subarray(at, at + size));
      cutter.end();
      expect(lines).toEqual(['one', '', 'two €\r', 'three']);
      expect(cutter.count).toBe(4);
    }
  });

  it('are held no longer than their first bytes', () => {
    const lines: string[] = [];
    const cutter = new LineCutter((text) => lines.push(text));
    const part = Buffer.alloc(1 << 20, 'a');
    for (let i = 0; i < 64; i++) cutter.push(part);
    cutter.push(Buffer.from(`\n${LINE}\n`));
    cutter.end();
    expect(lines.map((line) => line.length)).toEqual([LINE_BYTES_MAX, LINE.length]);
  });

  it.each([
    `7:M 22 Nov 2026 10:00:00.123 ${LINE}`,
    `[7] 22 Nov 10:00:00 ${LINE}`,
    `Nov 22 10:00:00 host redis-server[7]: 7:M 22 Nov 2026 10:00:00.123 ${LINE}`,
    `redis-1  | 1:M 22 Nov 2026 10:00:00.123 ${LINE}`,
    `2026-11-22T10:00:00.123456789Z stdout F 1:M 22 Nov 2026 10:00:00.123 ${LINE}`,
    `\u001b[31m7:M ${LINE}\u001b[0m`,
    JSON.stringify({ log: `1:M ${LINE}\n`, stream: 'stderr' }),
    JSON.stringify({ MESSAGE: [...Buffer.from(`1:M ${LINE}`)], _PID: '1' }),
    `  "  ${LINE.toUpperCase()}  "`,
  ])('say the same in any wrapping: %s', (wrapped) => {
    const [said] = saidIn(wrapped);
    const [first] = recognise(said!);
    expect(first).toMatchObject({ message: { id: 'rdb/version' }, captures: { version: '12' } });
  });

  it('tell their time as it stands there', () => {
    expect(timeIn(`7:M 22 Nov 2026 10:00:00.123 ${LINE}`)).toBe('22 Nov 2026 10:00:00.123');
    expect(timeIn(`[7] 22 Nov 10:00:00 ${LINE}`)).toBe('22 Nov 10:00:00');
    expect(timeIn(`2026-11-22T10:00:00.5Z ${LINE}`)).toBe('2026-11-22T10:00:00.5Z');
    expect(timeIn(LINE)).toBe('');
  });
});

describe('recognising', () => {
  it('takes no word for a part of another', () => {
    expect(recognise('XRDB CRC error')).toEqual([]);
    expect(recognise('RDB CRC errors')).toEqual([]);
    expect(recognise("Can't handle RDB format version twelve")).toEqual([]);
  });

  it('takes time that grows with the line, whatever stands in it', () => {
    const lines = ["can't handle rdb format version ", 'unknown command ', "AOF ' ", '{ "log": '].map(
      (part) => part.repeat(Math.ceil(LINE_BYTES_MAX / part.length)),
    );
    const before = performance.now();
    for (const line of lines) {
      saidIn(line).flatMap(recognise);
      likest(line, 3);
    }
    expect(performance.now() - before).toBeLessThan(2000);
  });

  it('names what a retyped line may have been', () => {
    const [first] = likest('Unexpected end of file while reading append only file', 3);
    expect(first!.message.id).toBe('aof/unexpected-end');
    expect(likest('the weather is fine today', 3)).toEqual([]);
  });
});
