import { describe, expect, it } from 'vitest';
import { SnapshotParser } from '../../src/live/snapshot-parser.js';

/** Feeds bytes in pieces of some size, and gathers what was told. */
function parsed(text: string, pieceBytes: number, answers = 0) {
  const told: string[] = [];
  const parts: Buffer[] = [];
  let timeMs = 0;
  const parser = new SnapshotParser(
    {
      ready: () => told.push('ready'),
      accepted: () => told.push('accepted'),
      refused: (reply) => told.push(`refused ${reply}`),
      bytes: (chunk) => parts.push(chunk),
      ended: () => told.push('ended'),
    },
    answers,
    () => (timeMs += 1),
  );
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceBytes) parser.push(bytes.subarray(at, at + pieceBytes));
  return { told, body: Buffer.concat(parts).latin1Slice(), parser };
}

const MARK = '0123456789abcdef0123456789abcdef01234567';

describe('what a server answers to SYNC', () => {
  it.each([1, 2, 7, 39, 40, 41, 1000])('has a length or a mark, in packets of %i bytes', (pieceBytes) => {
    const body = `REDIS0010${'x'.repeat(100)}${MARK.slice(0, 39)}!`;
    const sized = parsed(`\n\n$${body.length}\r\n${body}*1\r\n$4\r\nPING\r\n`, pieceBytes);
    expect(sized.body).toBe(body);
    expect(sized.told).toEqual(['accepted', 'ended']);
    expect(sized.parser.length).toBe(body.length);
    const marked = parsed(`\n$EOF:${MARK}\r\n${body}${MARK}\n\n`, pieceBytes);
    expect(marked.body).toBe(body);
    expect(marked.told).toEqual(['accepted', 'ended']);
    expect(marked.parser.length).toBe(null);
  });

  it('comes behind the answers to other commands, errors among them', () => {
    const { told, body } = parsed('+OK\r\n-ERR Unrecognized REPLCONF option: rdb-only\r\n$3\r\nabc', 1, 2);
    expect(told).toEqual(['ready', 'accepted', 'ended']);
    expect(body).toBe('abc');
  });

  it('may be a refusal, or the start of a replication', () => {
    expect(parsed('-NOPERM no\r\n', 100).told).toEqual(['refused NOPERM no']);
    const full = parsed(`+FULLRESYNC ${MARK} 14\r\n\n\n$2\r\nab`, 3);
    expect(full.told).toEqual(['accepted', 'ended']);
    expect(full.body).toBe('ab');
  });

  it('ends at once when it is empty', () => {
    expect(parsed('$0\r\n', 100).told).toEqual(['accepted', 'ended']);
  });

  it.each([
    ['$9223372036854775808\r\n', "'$9223372036854775808' is no length"],
    ['$-1\r\n', "'$-1' is no length"],
    ['$99999999999999999\r\n', 'is no length'],
    ['$EOF:short\r\n', 'a mark of 5 bytes, 40 were expected'],
    ['HTTP/1.1 400 Bad Request\r\n', 'byte 0x48 where a reply begins'],
    [`+${'x'.repeat(5000)}`, 'a line of more than 4096 bytes'],
    ['+CONTINUE\r\n', "'+CONTINUE' where a snapshot begins"],
    ['\n'.repeat(2000), 'line feeds in'],
  ])('is refused when no server says it: %j', (text, message) => {
    expect(() => parsed(text, 64)).toThrow(message);
  });
});
