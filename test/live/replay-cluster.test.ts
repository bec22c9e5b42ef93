import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath } from '../support/corpus.js';
import { freePort } from '../support/port.js';
import { describeServer, TestServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';

const APP = corpusPath('redis-7.0.15', 'seed-app');

const replayTo = (url: string, ...options: string[]) =>
  runCli(['replay', APP, '--target', url, '--expired', 'drop', '--json', '--digest', ...options], {
    nowMs: Date.now(),
  });

/** XOR of digests: what masters of a cluster hold together has the digest of all their keys. */
function sumOf(digests: readonly string[]): string {
  const sum = Buffer.alloc(20);
  for (const digest of digests) {
    Buffer.from(digest, 'hex').forEach((byte, i) => {
      sum[i] = sum[i]! ^ byte;
    });
  }
  return sum.toString('hex');
}

const SLOTS = 16384;

async function startCluster(): Promise<{ nodes: TestServer[]; ports: number[] }> {
  const ports = [await freePort(), await freePort(), await freePort()];
  const start = (port: number) =>
    TestServer.start({
      writable: true,
      settings: {
        port: String(port),
        bind: '127.0.0.1',
        'cluster-enabled': 'yes',
        'cluster-port': String(port > 32768 ? port - 10000 : port + 10000),
        'cluster-require-full-coverage': 'no',
        'repl-diskless-sync-delay': '0',
      },
    });
  const nodes = await Promise.all(ports.map(start));
  for (const [i, { client }] of nodes.entries()) {
    const first = Math.floor((i * SLOTS) / 3);
    const last = Math.floor(((i + 1) * SLOTS) / 3) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
  }
  // Only then: a node that knows another takes no epoch any more.
  for (const [i, { client }] of nodes.entries()) {
    for (const port of ports.filter((_, k) => k !== i)) {
      const bus = String(port > 32768 ? port - 10000 : port + 10000);
      await client.call('CLUSTER', 'MEET', '127.0.0.1', port, bus);
    }
  }
  const isWhole = async ({ client }: TestServer) => {
    const info = (await client.call('CLUSTER', 'INFO')) as string;
    const known = ((await client.call('CLUSTER', 'SLOTS')) as unknown[]).length;
    return /cluster_state:ok/.test(info) && known === 3;
  };
  while (!(await Promise.all(nodes.map(isWhole))).every(Boolean)) await sleep(20);
  return { nodes, ports };
}

describeServer('replay into a cluster', () => {
  it('sends each key to the master of its slot, also where slots are on the move', async () => {
    const { nodes, ports } = await startCluster();
    try {
      const url = `redis://127.0.0.1:${ports[0]}`;
      // A slot that holds keys of the log and is being moved: its keys are answered with ASK.
      const slot = (await nodes[0]!.client.call('CLUSTER', 'KEYSLOT', 'leaderboard:daily')) as number;
      const from = nodes[Math.floor((slot * 3) / SLOTS)]!;
      const to = nodes[(nodes.indexOf(from) + 1) % 3]!;
      const id = async (node: TestServer) => (await node.client.call('CLUSTER', 'MYID')) as string;
      await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await id(from));
      await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await id(to));

      const ran = await replayTo(url);
      expect(ran).toMatchObject({ exit: 0 });
      const report = JSON.parse(ran.stdout) as { digest: string; target: { nodes: number; written: number } };
      expect(report.target.nodes).toBe(3);
      expect(sumOf(await Promise.all(nodes.map((node) => node.digest())))).toBe(report.digest);

      const progress = join(temporaryDirectory('progress'), 'p.json');
      const again = await replayTo(url, '--keep-existing', '--resume', progress);
      expect(JSON.parse(again.stdout)).toMatchObject({ target: { kept: report.target.written, written: 0 } });

      // The way back: every master is read, by whatever way.
      for (const via of ['sync', 'dump', 'type']) {
        const read = await runCli(['digest', url, '--via', via]);
        expect(read).toMatchObject({ exit: 0, stdout: `${report.digest}\n` });
        expect(read.stderr).toContain('a cluster: read from its 3 masters');
      }

      const databases = await runCli(['replay', corpusPath('redis-7.0.15', 'types.rdb'), '--target', url]);
      expect(databases).toMatchObject({ exit: 2 });
      expect(databases.stderr).toContain('a cluster has database 0 alone');
    } finally {
      for (const node of nodes) await node.stop();
    }
  });
});

describeServer('replay over TLS', () => {
  it('checks the certificate by --tls-ca, shows its own, and takes any with --insecure', async () => {
    const directory = temporaryDirectory('tls');
    const path = (name: string) => join(directory, name);
    const made = spawnSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ],
        ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'],
        ...['-keyout', path('key.pem'), '-out', path('cert.pem')],
      ],
      { encoding: 'utf8' },
    );
    expect(made.status, made.stderr).toBe(0);
    const port = await freePort();
    const settings = {
      'tls-port': String(port),
      'tls-cert-file': path('cert.pem'),
      'tls-key-file': path('key.pem'),
      'tls-ca-cert-file': path('cert.pem'),
      'repl-diskless-sync-delay': '0',
    };
    await withServer({ writable: true, settings }, async (server) => {
      const url = `rediss://127.0.0.1:${port}`;
      const own = ['--tls-cert', path('cert.pem'), '--tls-key', path('key.pem')];
      const unknown = await replayTo(url, ...own);
      expect(unknown).toMatchObject({ exit: 4 });
      expect(unknown.stderr).toMatch(/TLS fails: .*certificate.*\n {2}try: give its authority with --tls-ca/);
      const ran = await replayTo(url, ...own, '--tls-ca', path('cert.pem'));
      expect(ran).toMatchObject({ exit: 0 });
      expect(await server.digest()).toBe((JSON.parse(ran.stdout) as { digest: string }).digest);
      const read = await runCli(['digest', url, ...own, '--tls-ca', path('cert.pem')]);
      expect(read).toMatchObject({ exit: 0, stdout: `${await server.digest()}\n` });
      expect(await runCli(['digest', url, ...own])).toMatchObject({ exit: 3 });
      expect(await replayTo(url, ...own, '--insecure', '--replace')).toMatchObject({ exit: 0 });
      expect(await replayTo(url.replace('rediss', 'redis'))).toMatchObject({ exit: 4 });
      expect(await replayTo(url, ...own, '--tls-ca', path('missing.pem'))).toMatchObject({ exit: 3 });
    });
  });
});
