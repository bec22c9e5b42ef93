import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { testdata } from '../support/corpus.js';
import { readTarGz } from '../support/tar.js';
import { temporaryDirectory } from '../support/temporary.js';
import { digestName, sizeOf } from '../support/verdict.js';

/** What the server told that loaded the log it had written. */
interface LogTruth {
  readonly server: string;
  readonly digest: string;
  readonly dbsize: Readonly<Record<string, number>>;
}

const files = readTarGz(readFileSync(testdata('scripts', 'logs.tar.gz')));
const directory = temporaryDirectory('scripts');
for (const [path, bytes] of files) {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), bytes);
}
const logs = [...files.keys()].filter((path) => path.endsWith('.aof'));

describe('a log that holds scripts as they were called', () => {
  test.each(logs)('%s leads to what its server has', async (path) => {
    const truth = JSON.parse(files.get(path.replace('.aof', '.truth.json'))!.toString('utf8')) as LogTruth;
    const ran = await runCli(['replay', join(directory, path), '--json', '--as', digestName(truth.server)]);
    expect(ran).toMatchObject({ exit: 0 });
    expect(JSON.parse(ran.stdout)).toMatchObject({ digest: truth.digest, keys: sizeOf(truth.dbsize) });
  });

  test('holds a sliding window that refused, a lock that was missed, and scripts by their SHA1', () => {
    const limiter = files.get('redis-4.0.14/rate-limiter.aof')!.toString('latin1');
    const lock = files.get('redis-4.0.14/lock.aof')!.toString('latin1');
    expect(limiter).toContain('ZREMRANGEBYSCORE');
    expect(limiter.split('\r\nEVALSHA\r\n').length).toBeGreaterThan(100);
    expect(lock).toContain(`if redis.call('get', KEYS[1]) == ARGV[1] then`);
    expect(lock).toContain('\r\nMULTI\r\n');
  });
});
