import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../../cli/memory-io.js';
import { temporaryDirectory } from '../../support/temporary.js';

const FULL =
  'Failed opening the temp RDB file temp-7.rdb (in server root dir /data) for saving: No space left on device';
const START = '7:C 02 Mar 2026 12:00:00.001 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo\n';

it('reads a log once that the configuration names by another path, and rotated logs from the oldest on', async () => {
  const place = temporaryDirectory('doctor-logs');
  const data = join(place, 'data');
  mkdirSync(data);
  symlinkSync(data, join(place, 'link'));
  writeFileSync(join(data, 'redis.conf'), `logfile ${join(place, 'link', 'redis.log')}\n`);
  writeFileSync(join(data, 'redis.log'), START);
  for (const turn of [1, 2, 10]) {
    writeFileSync(
      join(data, `redis.log.${turn}`),
      `${START}7:M 01 Mar 2026 12:00:00.00${turn % 9} # ${FULL}\n`,
    );
  }
  const { stdout } = await runCli(['doctor', data, '--json']);
  const { logs, diagnoses } = JSON.parse(stdout) as {
    logs: { path: string; lines: number }[];
    diagnoses: { log: string; line: number; count: number; inLastRun: boolean }[];
  };
  expect(logs.map(({ path, lines }) => `${path.slice(data.length + 1)} ${lines}`)).toEqual([
    'redis.log.10 2',
    'redis.log.2 2',
    'redis.log.1 2',
    'redis.log 1',
  ]);
  expect(diagnoses[0]).toMatchObject({ line: 2, log: join(data, 'redis.log.1'), count: 3, inLastRun: false });
  const { stdout: text } = await runCli(['doctor', data]);
  expect(text).toContain(`write/save-failed (${join(data, 'redis.log.1')}, line 2,`);
});
