import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath } from '../support/corpus.js';
import { describeServer, TestServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const TYPES = corpusPath('redis-7.0.15', 'types.rdb');
const SYNC_NOW = { 'repl-diskless-sync-delay': '0' };

describeServer('a live server as a source', () => {
  it('is read by SYNC, from disk or as it forks, and has no replica afterwards', async () => {
    await withServer(
      { rdb: TYPES, settings: { ...SYNC_NOW, databases: '32' }, writable: true },
      async (server) => {
        const url = `unix://${server.socket}`;
        for (const diskless of ['no', 'yes']) {
          await server.client.config('SET', 'repl-diskless-sync', diskless);
          expect(await runCli(['digest', url])).toMatchObject({
            exit: 0,
            stdout: `${await server.digest()}\n`,
          });
        }
        const checked = await runCli(['check', url, '--json']);
        expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, files: [{ path: url, format: 'rdb' }] });
        expect((await runCli(['info', url])).stdout).toContain('written by redis 7.0.15');
        const one = await runCli(['digest', `${url}?db=9`]);
        expect(one.stdout).toBe((await runCli(['digest', url, '--db', '9'])).stdout);
        expect(await server.client.info('replication')).toContain('connected_slaves:0');
      },
    );
  });

  it('may be written to meanwhile: the snapshot is of one moment', async () => {
    const settings = { ...SYNC_NOW, databases: '16', 'repl-diskless-sync': 'yes' };
    await withServer({ settings, writable: true }, async (server) => {
      let writing = true;
      let round = 0;
      // Each transaction sets the same number in all databases: a torn snapshot would hold two of them.
      const writer = (async () => {
        while (writing) {
          round++;
          const multi = server.client.multi();
          for (let database = 0; database < 16; database++) {
            multi.select(database).set('round', round).rpush('log', round);
          }
          await multi.exec();
        }
      })();
      await sleep(50);
      const out = join(temporaryDirectory('sync'), 'out.ndjson');
      const ran = await runCli(['convert', `unix://${server.socket}`, out, '--match', 'round']);
      writing = false;
      await writer;
      expect(ran).toMatchObject({ exit: 0 });
      const shown = await runCli(['digest', out, '--per-key', '--json']);
      const keys = shown.stdout.split('\n').filter((line) => line.includes('"round"'));
      expect(keys).toHaveLength(16);
      expect(new Set(keys.map((line) => (JSON.parse(line) as { digest: string }).digest)).size).toBe(1);
    });
  });

  it('is read by DUMP, or by type, where the user may do no more, and says so', async () => {
    await withServer({ rdb: TYPES, settings: { databases: '32' } }, async (server) => {
      const user = (name: string, ...rights: string[]) =>
        server.client.call('ACL', 'SETUSER', name, 'on', '>secret', '~*', '+@all', ...rights);
      await user('nosync', '-sync', '-psync');
      await user('nodump', '-sync', '-psync', '-dump');
      const expected = `${await server.digest()}\n`;
      const by = (name: string) => `unix://${name}@${server.socket}`;
      const env = { REKINDLE_PASSWORD: 'secret' };
      const dumped = await runCli(['digest', by('nosync')], { env });
      expect(dumped).toMatchObject({ exit: 0, stdout: expected });
      expect(dumped.stderr).toContain('read by SCAN and DUMP: it refuses SYNC (NOPERM');
      expect(dumped.stderr).toContain('no snapshot');
      expect(dumped.stderr).not.toContain('secret');
      const typed = await runCli(['digest', by('nodump')], { env });
      expect(typed).toMatchObject({ exit: 0, stdout: expected });
      expect(typed.stderr).toContain('read by SCAN and the commands of each type');
      const refused = await runCli(['check', by('nodump'), '--via', 'dump'], { env });
      expect(refused).toMatchObject({ exit: 3 });
      expect(refused.stdout + refused.stderr).toContain('it refuses DUMP (NOPERM');
      const same = await runCli(['diff', TYPES, by('nodump'), '--summary'], { env });
      expect(same).toMatchObject({ exit: 0, stdout: expect.stringContaining('0 changed') });
    });
  });

  it('meets every key by SCAN while others come and go, and none twice', async () => {
    await withServer({ writable: true }, async (server) => {
      await server.client.call('DEBUG', 'POPULATE', 6000);
      let writing = true;
      const writer = (async () => {
        for (let round = 0; writing; round++) {
          const pipeline = server.client.pipeline();
          for (let i = 0; i < 500; i++)
            pipeline.set(`new:${round}:${i}`, 'x').unlink(`new:${round - 3}:${i}`);
          await pipeline.exec();
        }
      })();
      const out = join(temporaryDirectory('scan'), 'out.rdb');
      const ran = await runCli([
        'convert',
        `unix://${server.socket}`,
        out,
        '--via',
        'dump',
        '--match',
        'key:*',
        '--json',
      ]);
      writing = false;
      await writer;
      expect(JSON.parse(ran.stdout)).toMatchObject({ keys: 6000 });
      expect(await runCli(['check', out])).toMatchObject({ exit: 0 });
    });
  });

  it('that is killed midway is a source that cannot be read', async () => {
    const server = await TestServer.start({
      settings: { ...SYNC_NOW, 'repl-diskless-sync': 'yes', 'rdb-key-save-delay': '200' },
      writable: true,
    });
    await server.client.call('DEBUG', 'POPULATE', 200_000);
    const out = join(temporaryDirectory('killed'), 'out.rdb');
    const running = runCli(['convert', `unix://${server.socket}`, out]);
    await sleep(300);
    await server.stop();
    const ran = await running;
    expect(ran).toMatchObject({ exit: 3 });
    expect(ran.stderr).toMatch(/the connection broke after \d+ bytes of its snapshot|closed the connection/);
    expect(await runCli(['info', out])).toMatchObject({ exit: 3 });
  });
});

/** A server of our own making: what it is sent makes it send what it is told to. */
async function withFake<T>(
  answer: (socket: Socket, sent: string) => void,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('data', (bytes) => answer(socket, bytes.latin1Slice())));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`redis://127.0.0.1:${(server.address() as { port: number }).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** Refuses INFO, takes REPLCONF, and answers SYNC so. */
const syncing = (reply: (socket: Socket) => void) => (socket: Socket, sent: string) => {
  for (const command of sent.split(/(?=\*\d+\r\n)/)) {
    if (/INFO/i.test(command)) socket.write('-NOPERM no\r\n');
    else if (/REPLCONF/.test(command)) socket.write('+OK\r\n');
    else if (/SYNC/.test(command)) reply(socket);
  }
};

describe('a hostile server', () => {
  const MARK = 'm'.repeat(40);
  const RDB = 'REDIS0009\xff\0\0\0\0\0\0\0\0';

  it.each([
    ['a length of 2^63', '$9223372036854775808\r\n', 'is no length'],
    ['line feeds without end', '\n'.repeat(50_000), 'line feeds in'],
    ['another protocol', 'HTTP/1.1 200 OK\r\n', 'byte 0x48 where a reply begins'],
  ])('sends %s', async (_what, text, message) => {
    await withFake(
      syncing((socket) => socket.write(Buffer.from(text, 'latin1'))),
      async (url) => {
        const ran = await runCli(['check', url]);
        expect(ran).toMatchObject({ exit: 3 });
        expect(ran.stdout + ran.stderr).toContain(message);
      },
    );
  });

  it('sends something else than an RDB', async () => {
    await withFake(
      syncing((socket) => socket.write('$11\r\nhello world')),
      async (url) => {
        expect(await runCli(['check', url])).toMatchObject({
          exit: 1,
          stdout: expect.stringContaining('rdb/bad-magic'),
        });
      },
    );
  });

  it('closes the connection before all is there', async () => {
    await withFake(
      syncing((socket) => socket.end('$1000\r\nREDIS0009')),
      async (url) => {
        const ran = await runCli(['digest', url]);
        expect(ran).toMatchObject({ exit: 3 });
        expect(ran.stderr).toContain('the connection broke after 9 of 1000 bytes of its snapshot');
      },
    );
  });

  it('splits the mark over packets', async () => {
    const drip = async (socket: Socket) => {
      for (const part of [`$EOF:${MARK}\r\n`, RDB, 'm'.repeat(13), 'm'.repeat(26), 'm']) {
        socket.write(Buffer.from(part, 'latin1'));
        await sleep(5);
      }
    };
    await withFake(
      syncing((socket) => void drip(socket)),
      async (url) => {
        expect(await runCli(['digest', url])).toMatchObject({ exit: 0, stdout: `${'0'.repeat(40)}\n` });
      },
    );
  });

  it('gives payloads that are none', async () => {
    const answer = (socket: Socket, sent: string) => {
      for (const command of sent.split(/(?=\*\d+\r\n)/)) {
        if (/INFO|REPLCONF|SYNC|FUNCTION/i.test(command)) socket.write('-NOPERM no\r\n');
        else if (/rekindle:probe/.test(command)) socket.write('$-1\r\n');
        else if (/SCAN/.test(command)) socket.write('*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n');
        else if (/DUMP/.test(command)) socket.write('$13\r\n\0\x01x\x09\0........\r\n');
        else if (/SELECT\r\n\$1\r\n0/.test(command)) socket.write('+OK\r\n');
        else if (/SELECT/.test(command)) socket.write('-ERR DB index is out of range\r\n');
        else if (/PEXPIRETIME/.test(command)) socket.write(':-1\r\n');
      }
    };
    await withFake(answer, async (url) => {
      const ran = await runCli(['digest', url]);
      expect(ran).toMatchObject({ exit: 3 });
      expect(ran.stderr).toContain('key k: what DUMP gave cannot be read');
    });
  });
});

describe('an address of a source', () => {
  it('that reaches nobody is exit 3, and never shows its password', async () => {
    const ran = await runCli(['digest', 'redis://u:hunter2@127.0.0.1:1/3']);
    expect(ran).toMatchObject({ exit: 3 });
    expect(ran.stderr).toContain('redis://127.0.0.1:1/3: nobody listens there');
    expect(ran.stderr).not.toContain('hunter2');
  });

  it('is no place for the progress of a transfer', async () => {
    const file = join(temporaryDirectory('resume'), 'file.rdb');
    writeFileSync(file, Buffer.from('REDIS0009\xff\0\0\0\0\0\0\0\0', 'latin1'));
    expect(await runCli(['convert', file, join(file, 'x.rdb'), '--resume', 'p'])).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('--resume is for a live server as OUT'),
    });
  });
});
