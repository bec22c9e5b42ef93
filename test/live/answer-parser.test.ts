import { describe, expect, it } from 'vitest';
import { AnswerParser } from '../../src/live/answer-parser.js';
import type { Answer } from '../../src/live/connection.js';

function answers(text: string, pieceBytes: number): Answer[] {
  const taken: Answer[] = [];
  const parser = new AnswerParser((answer) => taken.push(answer));
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceBytes) parser.push(bytes.subarray(at, at + pieceBytes));
  return taken;
}

const plain = (answer: Answer): unknown =>
  Buffer.isBuffer(answer)
    ? answer.latin1Slice()
    : answer instanceof Error
      ? `error ${answer.message}`
      : Array.isArray(answer)
        ? answer.map(plain)
        : answer;

describe('replies with their values', () => {
  it.each([1, 3, 10, 100_000])('come whole, in packets of %i bytes', (pieceBytes) => {
    const long = 'y'.repeat(70_000);
    const text = `+OK\r\n:-12\r\n$-1\r\n*-1\r\n*0\r\n-ERR no\r\n*3\r\n$1\r\na\r\n*2\r\n:1\r\n-WRONGTYPE x\r\n$0\r\n\r\n$70000\r\n${long}\r\n`;
    expect(answers(text, pieceBytes).map(plain)).toEqual([
      ...['OK', -12, null, null, [], 'error ERR no', ['a', [1, 'error WRONGTYPE x'], ''], long],
    ]);
  });

  it.each([
    'HTTP/1.1',
    '$99999999999\r\n',
    '*x\r\n',
    '*1\r\n'.repeat(20),
    `+${'x'.repeat(70_000)}`,
    ':1e3\r\n',
  ])('are refused when they are none: %.20j', (text) => {
    expect(() => answers(`${text}\r\n`, 30_000)).toThrow('protocol of Redis');
  });

  it('take no memory for lengths that only say so', () => {
    expect(answers('$2000000000\r\nab', 4)).toEqual([]);
    expect(answers('*1000000000000\r\n', 100)).toEqual([]);
  });
});
