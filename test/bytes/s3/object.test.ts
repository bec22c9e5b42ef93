import { Transform } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { isS3Address, parseS3Address } from '../../../src/bytes/s3/address.js';
import { connectS3 } from '../../../src/bytes/s3/client.js';
import { ObjectSource } from '../../../src/bytes/s3/object.js';
import { openS3 } from '../../../src/bytes/s3/open.js';
import { readAt } from '../../../src/bytes/source.js';
import { BUCKET, type S3Exchange, S3Server } from '../../support/s3.js';

const KILO = 1024;
const SIZE = 300 * KILO + 17;
const BYTES = Buffer.from(Array.from({ length: SIZE }, (_, at) => (at * 7 + (at >> 8)) & 255));
const SIZES = { first: 16 * KILO, last: 64 * KILO, ahead: 2, pauseMs: 1 };
const ACCESS = { pathStyle: true };

let server: S3Server;
beforeAll(async () => {
  server = await S3Server.start();
  await server.put('dump.rdb', BYTES);
  await server.put('empty', Buffer.alloc(0));
  await server.put('redis/appendonlydir/x', Buffer.from('x'));
  await server.put('redis/dump.rdb', Buffer.from('y'));
});
afterAll(() => server.stop());
afterEach(() => {
  server.meddle = null;
  server.ranges.length = 0;
});

async function opened(key = 'dump.rdb'): Promise<ObjectSource> {
  for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
  const source = await ObjectSource.at(await connectS3(BUCKET, ACCESS), key, null, SIZES);
  return source!;
}

const place = (text: string) => {
  for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
  return openS3(text, ACCESS, null);
};

async function all(source: ObjectSource, start = 0): Promise<Buffer> {
  return readAt(source, start, SIZE + 10);
}

/** Ends the connection after so many bytes of an answer. */
async function cutAfter(bytes: number, exchange: S3Exchange, next: () => Promise<void>): Promise<void> {
  await next();
  const { body, res } = exchange;
  if (typeof body !== 'object') return;
  let left = bytes;
  exchange.body = body.pipe(
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        const part = chunk.subarray(0, left);
        left -= part.length;
        done(null, part);
        if (left === 0) setTimeout(() => res.destroy(), 5);
      },
    }),
  );
}

describe('an object', () => {
  it('is read whole, in larger and larger ranges, or from anywhere', async () => {
    const source = await opened();
    expect([source.label, source.size]).toEqual([`s3://${BUCKET}/dump.rdb`, SIZE]);
    expect((await all(source)).equals(BYTES)).toBe(true);
    expect(server.ranges).toEqual([
      'bytes=0-16383',
      'bytes=16384-32767',
      'bytes=32768-98303',
      'bytes=98304-163839',
      'bytes=163840-229375',
      'bytes=229376-294911',
      `bytes=294912-${SIZE - 1}`,
    ]);
    expect((await all(source, SIZE - 100)).equals(BYTES.subarray(SIZE - 100))).toBe(true);
    expect((await all(source, 16 * KILO - 1)).equals(BYTES.subarray(16 * KILO - 1))).toBe(true);
    expect(await all(source, SIZE)).toEqual(Buffer.alloc(0));
  });

  it('costs one small request to look at, beside the one for its size', async () => {
    const source = await opened();
    expect((await readAt(source, 0, 1000)).equals(BYTES.subarray(0, 1000))).toBe(true);
    expect(server.ranges).toEqual(['bytes=0-16383']);
  });

  it('may be empty', async () => {
    const source = await opened('empty');
    expect(source.size).toBe(0);
    expect(await all(source)).toEqual(Buffer.alloc(0));
  });

  it('goes on where a connection was cut', async () => {
    const source = await opened();
    let cuts = 0;
    server.meddle = (exchange, next) => (cuts++ < 5 ? cutAfter(5000, exchange, next) : next());
    expect((await all(source)).equals(BYTES)).toBe(true);
    expect(cuts).toBeGreaterThan(5);
    expect(server.ranges).toContain(`bytes=${16384 + 5000}-32767`);
  });

  it('is given up when nothing comes any more, with the offset', async () => {
    const source = await opened();
    server.meddle = async ({ res }) => res.destroy();
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
    await expect(all(source)).rejects.toMatchObject({
      code: 'input/cut',
      message: expect.stringMatching(/^the connection failed 6 times in a row at offset 16384: /),
    });
  });

  it('that is another one by now is refused', async () => {
    const source = await opened();
    const reader = await source.open();
    await server.put('dump.rdb', Buffer.alloc(SIZE, 'z'));
    const rest = async () => {
      while ((await reader.read(Buffer.alloc(SIZE))) > 0);
    };
    const changed = { code: 'input/changed', message: 'was replaced while it was being read' };
    await expect(rest()).rejects.toMatchObject(changed);
    await reader.close();
    // Cut down, or as servers answer that know If-Match.
    await server.put('dump.rdb', Buffer.alloc(100));
    await expect(all(source)).rejects.toMatchObject(changed);
    await server.put('dump.rdb', BYTES);
    const asked: (string | undefined)[] = [];
    server.meddle = async (exchange) => {
      asked.push(exchange.req.headers['if-match']);
      exchange.status = 412;
      exchange.type = 'application/xml';
      exchange.body = '<Error><Code>PreconditionFailed</Code></Error>';
    };
    await expect(all(source)).rejects.toMatchObject(changed);
    expect(asked[0]).toMatch(/^"[0-9a-f]{32}"$/);
  });
});

describe('what cannot be read', () => {
  const refused = (status: number, code: string) => {
    server.meddle = async (exchange) => {
      exchange.status = status;
      exchange.type = 'application/xml';
      exchange.body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>secret words</Message></Error>`;
    };
  };

  it('is told from what is not there', async () => {
    await expect(place(`s3://${BUCKET}/missing`)).rejects.toMatchObject({
      code: 'input/missing',
      message: 'no such object',
    });
    await expect(place('s3://elsewhere/dump.rdb')).rejects.toMatchObject({
      code: 'input/missing',
      path: 's3://elsewhere',
      message: 'no such bucket',
    });
    await expect(place(`s3://${BUCKET}/none/`)).rejects.toMatchObject({ code: 'input/missing' });
  });

  it('says why, and repeats nothing of what was signed', async () => {
    refused(403, 'AccessDenied');
    await expect(place(`s3://${BUCKET}/dump.rdb`)).rejects.toMatchObject({
      code: 'input/permission',
      message: 'access denied',
    });
    refused(403, 'SignatureDoesNotMatch');
    await expect(place(`s3://${BUCKET}/dump.rdb`)).rejects.toMatchObject({
      code: 'input/permission',
      message: 'the credentials were refused (SignatureDoesNotMatch)',
    });
    refused(400, 'Strange');
    await expect(place(`s3://${BUCKET}/dump.rdb`)).rejects.toMatchObject({
      code: 'input/unreadable',
      message: 'the request failed: Strange (status 400)',
    });
  });

  it('is no address, which is not repeated', () => {
    expect(isS3Address('s3://a/b')).toBe(true);
    expect(parseS3Address('s3://a-b.c/d e/../%20')).toEqual({ bucket: 'a-b.c', key: 'd e/../%20' });
    for (const text of ['s3://', 's3:///x', 's3://KEY:SECRET@bucket/x']) {
      expect(() => parseS3Address(text)).toThrow(expect.objectContaining({ name: 'UsageError' }));
      expect(() => parseS3Address(text)).not.toThrow(/SECRET/);
    }
  });
});

describe('a prefix', () => {
  it('is a directory, with or without its slash', async () => {
    for (const text of [`s3://${BUCKET}/redis`, `s3://${BUCKET}/redis/`]) {
      const { object, path, tree } = await place(text);
      expect([object, path]).toEqual([null, `s3://${BUCKET}/redis`]);
      expect(await tree.list(path)).toEqual(['appendonlydir', 'dump.rdb']);
      expect(await tree.look(`${path}/dump.rdb`)).toEqual({ kind: 'file', size: 1 });
      expect(await tree.look(`${path}/appendonlydir`)).toEqual({ kind: 'directory', size: 0 });
      expect(await tree.look(`${path}/none`)).toBeNull();
      expect(await tree.list(`${path}/dump.rdb`)).toEqual([]);
      expect(tree.parent(`${path}/appendonlydir`)).toBe(path);
      expect((await tree.open(`${path}/dump.rdb`)).label).toBe(`${path}/dump.rdb`);
    }
    const { path, tree } = await place(`s3://${BUCKET}`);
    expect([path, await tree.list(path)]).toEqual([`s3://${BUCKET}`, ['dump.rdb', 'empty', 'redis']]);
  });
});
