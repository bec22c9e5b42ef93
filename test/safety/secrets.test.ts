import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { describeServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

// Passwords of servers come out nowhere, and what is hidden with --redact stays hidden.

const SECRET = 's3cr3t-pa55';
const home = temporaryDirectory('secrets');
const place = (name: string) => join(home, name);

const command = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;

/** Tells everything it is sent in an error: what no server should do. */
let server: Server;
let port = 0;

beforeAll(async () => {
  writeFileSync(place('plain.aof'), command('SELECT', '0') + command('SET', 'a', '1'));
  writeFileSync(
    place('secrets.aof'),
    [
      command('SELECT', '0'),
      command('SET', `key-${SECRET}`, SECRET),
      command('HSET', `hash-${SECRET}`, SECRET, SECRET),
      command('RPUSH', 'list', SECRET),
      command('AUTH', SECRET),
      command('HELLO', '3', 'AUTH', 'default', SECRET),
      command('ACL', 'SETUSER', 'app', `>${SECRET}`),
      command('CONFIG', 'SET', 'requirepass', SECRET),
      command('MIGRATE', 'h', '6379', 'k', '0', '10', 'AUTH', SECRET),
      command('EVAL', `return '${SECRET}'`, '0'),
      command('DEL', `key-${SECRET}`),
    ].join(''),
  );
  const torn = readFileSync(place('secrets.aof'));
  writeFileSync(place('torn.aof'), torn.subarray(0, torn.length - 9));
  torn[60] = 0x21;
  writeFileSync(place('damaged.aof'), torn);
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      socket.write(`-ERR I was told ${bytes.toString('latin1').replaceAll(/[\r\n]+/g, ' ')}\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(() => server.close());

describe('the password of a server', () => {
  const COMMANDS: readonly (readonly string[])[] = [
    ['check', 'URL'],
    ['info', 'URL'],
    ['digest', 'URL'],
    ['memory', 'URL'],
    ['report', 'URL', '--out', 'OUT'],
    ['convert', 'URL', 'OUT'],
    ['convert', 'PLAIN', 'URL'],
    ['diff', 'URL', 'PLAIN'],
    ['diff', 'PLAIN', 'URL'],
    ['replay', 'PLAIN', '--target', 'URL'],
    ['verify', 'PLAIN', '--against', 'URL'],
  ];

  it.each(COMMANDS.map((argv) => [argv.join(' '), argv] as const))('%s', async (_title, argv) => {
    const words = (address: string, extra: readonly string[]) => [
      ...argv.map((word) =>
        word.replace('URL', address).replace('OUT', place('out.rdb')).replace('PLAIN', place('plain.aof')),
      ),
      ...extra,
    ];
    const said = [
      await runCli(words(`redis://app:${SECRET}@127.0.0.1:${port}`, ['--json', '--verbose'])),
      await runCli(words(`redis://127.0.0.1:${port}`, ['--verbose']), { env: { REKINDLE_PASSWORD: SECRET } }),
      await runCli(words(`redis://app:${SECRET}@127.0.0.1:1`, [])),
      await runCli(words(`redis://app:${SECRET}@127.0.0.1:99999`, ['--json'])),
    ];
    for (const { exit, stdout, stderr } of said) {
      expect(stdout + stderr).not.toContain(SECRET);
      expect(stdout + stderr).toMatch(/redis:|address|server/);
      expect(exit).toBeGreaterThan(0);
    }
  });
});

describe('an address that is read from nowhere is not repeated', () => {
  const NO_SOURCES = [
    `valkey://app:${SECRET}@127.0.0.1:1`,
    `redis+sentinel://app:${SECRET}@127.0.0.1:1`,
    ` redis://app:${SECRET}@127.0.0.1:1`,
    `https://b.s3.example/dump.rdb?X-Amz-Signature=${SECRET}`,
    `redis://${SECRET}@127.0.0.1:1`,
    `redis://app:a/${SECRET}@127.0.0.1:1`,
  ];
  const SERVER = `redis://app:${SECRET}@127.0.0.1:1`;
  const OUTPUTS = ['replay', 'repair', 'compact', 'report'].map((name) => [
    name,
    place('plain.aof'),
    '--out',
    SERVER,
  ]);

  it.each([
    ...NO_SOURCES.map((source) => ['info', source]),
    ['diff', place('plain.aof'), NO_SOURCES[0]!],
    ['convert', place('plain.aof'), NO_SOURCES[0]!],
    ...['check-aof', 'check-rdb', 'recover', 'doctor'].map((name) => [name, SERVER]),
    ...OUTPUTS,
  ])('%s %s %s %s', async (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    for (const extra of [['--json'], ['--verbose']]) {
      const { exit, stdout, stderr } = await runCli([...words, ...extra]);
      expect(stdout + stderr).not.toContain(SECRET);
      expect(stdout + stderr).not.toContain('internal error');
      expect(exit).toBeGreaterThan(0);
    }
  });

  it('a log, a key or a pattern may well hold one', async () => {
    const { stdout } = await runCli(['doctor', `Failed to reach ${SERVER} twice`]);
    expect(stdout).toContain('127.0.0.1');
    expect((await runCli(['history', place('plain.aof'), 'https://a@b/c'])).stderr).not.toContain('nowhere');
  });
});

describeServer('what was read of a server', () => {
  it('is told without its password, in every output', async () => {
    await withServer({ writable: true }, async ({ client, socket }) => {
      await client.call('ACL', 'SETUSER', 'app', 'on', `>${SECRET}`, '~*', '&*', '+@all');
      await client.set('key', 'value');
      const address = `unix://app:${SECRET}@${socket}`;
      const out = place('told');
      mkdirSync(out);
      const report = join(out, 'report.html');
      const said = [
        await runCli(['report', address, '--out', report, '--verbose']),
        await runCli(['repair', address, '--json']),
        await runCli(['repair', address, '--verbose']),
        await runCli([
          ...['verify', address, '--verbose', '--max-shrink', '5%', '--state', join(out, 'state.json')],
          ...['--prometheus', join(out, 'metrics.prom')],
        ]),
        await runCli(['verify', address, '--json']),
      ];
      for (const { exit, stdout, stderr } of said) {
        expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.not.stringContaining(SECRET) });
        expect(stdout).not.toContain(SECRET);
      }
      for (const name of readdirSync(out))
        expect(readFileSync(join(out, name), 'utf8')).not.toContain(SECRET);
      expect(readdirSync(out).sort()).toEqual(['metrics.prom', 'report.html', 'state.json']);
      expect(readFileSync(report, 'utf8')).toContain(socket);
    });
  });
});

describe('with --redact contents are hidden', () => {
  const COMMANDS: readonly (readonly string[])[] = [
    ['check', 'IN'],
    ['repair', 'IN'],
    ['repair', 'IN', '--strategy', 'skip'],
    ['info', 'IN', '--verbose'],
    ['memory', 'IN'],
    ['memory', 'IN', '--csv', 'keys'],
    ['diff', 'IN', 'PLAIN', '--values'],
    ['digest', 'IN', '--per-key'],
    ['replay', 'IN', '--on-unknown', 'skip'],
    ['history', 'IN', 'key-*'],
    ['log', 'IN'],
    ['log', 'IN', '--stats'],
    ['log', 'IN', '--dangerous'],
    ['recover', 'IN'],
    ['verify', 'IN'],
  ];

  it.each(COMMANDS.map((argv) => [argv.join(' '), argv] as const))('%s', async (_title, argv) => {
    for (const source of ['secrets.aof', 'torn.aof', 'damaged.aof']) {
      for (const extra of [['--redact'], ['--redact', '--json'], ['--redact', '--verbose']]) {
        const words = argv.map((word) =>
          word.replace(/^IN$/, place(source)).replace('PLAIN', place('plain.aof')),
        );
        const { stdout, stderr } = await runCli([...words, ...extra]);
        expect(stdout + stderr, [...words, ...extra].join(' ')).not.toContain(SECRET);
        expect(stdout + stderr).not.toBe('');
      }
    }
  });

  it('and shown without, or this would prove nothing', async () => {
    const { stdout } = await runCli(['log', place('secrets.aof')]);
    expect(stdout.split(SECRET).length).toBeGreaterThan(8);
  });
});
