import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pingUrl } from '../../src/tools/verify/ping.js';
import { periodName, periodOf, periodsWanted, retentionOf } from '../../src/tools/verify/retention.js';
import { verify } from '../../src/tools/verify.js';
import { CORPUS_NOW } from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';
import { backupOf, verifyOptions } from '../support/verify.js';
import { testContext } from './context.js';

const HOUR = 3600;

describe('a directory of backups', () => {
  const DAY = 24 * HOUR;

  it('has one for each day, or the gap is named', async () => {
    const room = temporaryDirectory('backups');
    for (const day of [0, 1, 2, 4, 5]) {
      writeFileSync(join(room, `dump-${day}.rdb`), backupOf(3, CORPUS_NOW - day * DAY - HOUR));
    }
    const broken = backupOf(3, CORPUS_NOW - 2 * DAY);
    broken[broken.length >> 1]! ^= 1;
    writeFileSync(join(room, 'later-of-2.rdb'), broken);
    writeFileSync(join(room, 'dump-5.rdb'), backupOf(3, CORPUS_NOW - 5 * DAY).subarray(0, 45));
    writeFileSync(join(room, 'README.txt'), 'not one');
    mkdirSync(join(room, '.snapshots'));
    const options = verifyOptions({ path: room, backups: retentionOf('daily:6,monthly:2', '--keep') });
    const [verdict] = (await verify(options, testContext())).sources;
    const kept = verdict!.rules.filter(({ name }) => name === 'retention');
    expect(kept.map(({ of, ok, value, detail }) => [of, ok, value, detail['gaps']])).toEqual([
      ['daily', false, 4, '2026-02-26, 2026-02-24'],
      ['monthly', true, 2, ''],
    ]);
    expect(verdict!.backups!.map(({ path, ok }) => [path.slice(room.length + 1), ok])).toEqual([
      ['dump-0.rdb', true],
      ['dump-1.rdb', true],
      ['later-of-2.rdb', false],
      ['dump-2.rdb', true],
      ['dump-4.rdb', true],
      ['dump-5.rdb', false],
    ]);
  });

  it('without any can not be read', async () => {
    const options = verifyOptions({ path: temporaryDirectory('backups'), backups: [] });
    const [verdict] = (await verify(options, testContext())).sources;
    expect(verdict).toMatchObject({ ok: false, unreadable: { code: 'input/no-backups' } });
    const gone = verifyOptions({ path: '/no/such/directory', backups: [] });
    expect((await verify(gone, testContext())).sources[0]).toMatchObject({
      unreadable: { code: 'input/missing' },
    });
  });

  it('knows periods by UTC, and does not ask for the one that is not over', () => {
    const noon = Date.UTC(2026, 2, 1, 12);
    expect(periodName('weekly', periodOf('weekly', noon))).toBe('the week of 2026-02-23');
    expect(periodName('monthly', periodOf('monthly', noon) - 2)).toBe('2026-01');
    expect(periodName('hourly', periodOf('hourly', noon))).toBe('2026-03-01 12:00');
    const names = (newest: number) =>
      periodsWanted('daily', 2, noon, newest).map((index) => periodName('daily', index));
    expect(names(noon - HOUR * 1000)).toEqual(['2026-03-01', '2026-02-28']);
    expect(names(noon - DAY * 1000)).toEqual(['2026-02-28', '2026-02-27']);
    expect(() => retentionOf('dayly:7', '--keep')).toThrow("'dayly:7' is no rule");
  });
});

function backup(): string {
  const path = join(temporaryDirectory('verify'), 'dump.rdb');
  writeFileSync(path, backupOf(1, 1));
  return path;
}

describe('a dead-man’s switch', () => {
  let server: Server;
  let url = '';
  let answer = 200;
  const told: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        told.push(`${request.url} ${body}`);
        response.writeHead(answer).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`;
  });
  afterAll(() => server.close());

  const service = () => ({ url, timeoutMs: 2000, retries: 0 });

  it('is told of start, success and failure', async () => {
    await verify(verifyOptions({ path: backup() }, { ping: service() }), testContext());
    await verify(verifyOptions({ path: '/no/such.rdb' }, { ping: service() }), testContext());
    expect(told.splice(0)).toEqual([
      '/secret/start ',
      '/secret verified orders',
      '/secret/start ',
      '/secret/fail FAILED orders: readable',
    ]);
  });

  it('that does not answer changes no verdict, and its address is not told', async () => {
    answer = 500;
    const ok = await verify(verifyOptions({ path: backup() }, { ping: service() }), testContext());
    expect([ok.ok, ok.remarks.map(({ kind }) => kind)]).toEqual([true, ['ping-failed', 'ping-failed']]);
    const nobody = { url: 'http://127.0.0.1:1/secret', timeoutMs: 500, retries: 0 };
    const dead = await verify(verifyOptions({ path: backup() }, { ping: nobody }), testContext());
    expect(dead.ok).toBe(true);
    expect(JSON.stringify([ok.remarks, dead.remarks])).not.toContain('secret');
  });

  it('may want the state elsewhere', () => {
    expect(pingUrl('https://x.example/ping?a=b', 'fail')).toBe('https://x.example/ping/fail?a=b');
    expect(pingUrl('https://x.example/ping?status={state}', 'start')).toBe(
      'https://x.example/ping?status=start',
    );
  });
});
