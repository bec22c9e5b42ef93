import { describe, expect, it } from 'vitest';
import { isServerAddress, parseServerAddress } from '../../src/live/address.js';
import { argumentsOf, countCommands, splitSelect } from '../../src/live/commands.js';
import { replyErrorOf } from '../../src/live/failure.js';
import { ReplyParser } from '../../src/live/replies.js';

function told(chunks: readonly string[]): string[] {
  const heard: string[] = [];
  const parser = new ReplyParser({
    done: () => heard.push('done'),
    absent: () => heard.push('absent'),
    integer: (value) => heard.push(`integer ${value}`),
    failed: (message) => heard.push(`failed ${message}`),
  });
  for (const chunk of chunks) parser.push(Buffer.from(chunk, 'latin1'));
  return heard;
}

const REPLIES =
  '+OK\r\n:12\r\n$-1\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n-ERR no\r\n*0\r\n*-1\r\n*2\r\n:1\r\n*2\r\n+a\r\n-EXECABORT x\r\n*2\r\n$1\r\nx\r\n$-1\r\n+QUEUED\r\n';
const HEARD = [
  ...['done', 'integer 12', 'absent', 'done', 'done', 'failed ERR no', 'done', 'absent'],
  ...['failed EXECABORT x', 'done', 'done'],
];

describe('replies', () => {
  it('are counted however they are cut', () => {
    for (let size = 1; size <= REPLIES.length; size++) {
      const chunks = REPLIES.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
      expect(told(chunks), `${size} bytes at a time`).toEqual(HEARD);
    }
  });

  it('that are none end it', () => {
    expect(() => told(['HTTP/1.1 400 Bad Request\r\n'])).toThrow('does not answer in the protocol');
    expect(() => told(['+', 'x'.repeat(70_000), 'x'])).toThrow('does not answer in the protocol');
  });

  it.each(['$.1\n', '$x\r\n', ':1e3\r\n', '*\r\n', '$99999999999\r\n', ': 1\r\n'])(
    'with %j for a number end it',
    (bytes) => {
      expect(() => told([bytes])).toThrow('does not answer in the protocol');
    },
  );

  it('never repeat what was sent', () => {
    const error = replyErrorOf(
      "ERR unknown command 'AUTH', with args beginning with: 'secret'",
      'redis://h',
      '',
    );
    expect(error.message + error.hint).not.toContain('secret');
  });
});

describe('addresses of servers', () => {
  it.each([
    ['redis://localhost', 'redis://localhost:6379', null, null, null],
    ['rediss://u:p%40ss@[::1]:7000/3', 'rediss://[::1]:7000/3', 'u', 'p@ss', 3],
    ['unix:///run/redis.sock?db=2', 'unix:///run/redis.sock?db=2', null, null, 2],
    ['unix://:pw@/run/redis.sock', 'unix:///run/redis.sock', null, 'pw', null],
  ])('%s', (text, label, username, password, database) => {
    expect(isServerAddress(text)).toBe(true);
    expect(parseServerAddress(text, '--target')).toMatchObject({ label, username, password, database });
  });

  it.each(['redis://', 'redis://h/x', 'unix://relative', 'redis://u:pw@h:99999', 'http://h'])(
    'not %s',
    (text) => {
      expect(() => parseServerAddress(text, '--target')).toThrow(/no address of a server/);
      expect(() => parseServerAddress(text, '--target')).not.toThrow(/pw/);
    },
  );
});

it('commands of our own are told apart', () => {
  const bytes = Buffer.from('*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n');
  expect(countCommands(bytes)).toBe(2);
  const [select, rest] = splitSelect(bytes);
  expect(select.length).toBe(23);
  expect(argumentsOf(rest).map(String)).toEqual(['SET', 'k', '']);
  expect(splitSelect(rest)[0].length).toBe(0);
});
