import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { corpusPath } from '../support/corpus.js';
import { seeds, THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer, withServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';
import { recordsIn } from './plain-log.js';

interface Increment {
  readonly name: string;
  readonly bytes: Buffer;
}

/** One point in time: what replay is told, and the bytes of the increments, in a row, that a server gets for it. */
interface Point {
  readonly options: readonly string[];
  readonly bytes: number;
}

function incrementsOf(path: string): Increment[] {
  const folder = join(path, 'appendonlydir');
  const names = readdirSync(folder).filter((name) => name.endsWith('.incr.aof'));
  return names.sort().map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

/** By offset, by command and by time, told apart by a reader that knows nothing of ours. */
function pointsOf(increments: readonly Increment[], random: Random): Point[] {
  const whole = Buffer.concat(increments.map(({ bytes }) => bytes));
  const records = recordsIn(whole);
  const commands = records.filter(({ seconds }) => seconds === null);
  const times = records.filter(({ seconds }) => seconds !== null);

  const place = random.below(increments.length);
  const { name, bytes } = increments[place]!;
  const before = increments.slice(0, place).reduce((sum, each) => sum + each.bytes.length, 0);
  const offset = random.below(bytes.length + 1);
  const count = random.below(commands.length + 1);
  const second = random.between(times[0]!.seconds! - 1, times.at(-1)!.seconds! + 1);
  return [
    { options: ['--until-offset', `${name}:${offset}`], bytes: before + offset },
    { options: ['--until-command', String(count)], bytes: count === 0 ? 0 : commands[count - 1]!.end },
    {
      options: ['--until-time', String(second)],
      bytes: times.find(({ seconds }) => seconds! > second)?.start ?? whole.length,
    },
  ];
}

describeServer('random points in time, beside a real server that loads the same cut', () => {
  // A server cuts what a truncated file ends in, a transaction without its EXEC too: that is the rule of replay.
  it.each(['seed-app', 'workload'])('%s', { timeout: 1_800_000 }, async (name) => {
    const source = corpusPath('redis-7.0.15', name);
    const increments = incrementsOf(source);
    const folder = join(source, 'appendonlydir');
    const base = readdirSync(folder).find((each) => each.endsWith('.base.rdb'))!;
    const data = temporaryDirectory('points');
    mkdirSync(join(data, 'appendonlydir'));
    writeFileSync(join(data, 'appendonlydir', base), readFileSync(join(folder, base)));
    writeFileSync(join(data, 'appendonlydir', 'appendonly.aof.9.incr.aof'), '');
    writeFileSync(
      join(data, 'appendonlydir', 'appendonly.aof.manifest'),
      `file ${base} seq 2 type b\nfile appendonly.aof.9.incr.aof seq 9 type i\n`,
    );
    const log = join(data, 'appendonlydir', 'appendonly.aof.9.incr.aof');
    const whole = Buffer.concat(increments.map(({ bytes }) => bytes));
    const runs = seeds(`points of ${name}`);
    for (const seed of THOROUGH ? runs : runs.slice(0, 1)) {
      for (const { options, bytes } of pointsOf(increments, new Random(seed))) {
        writeFileSync(log, whole.subarray(0, bytes));
        const ran = await runCli(['replay', source, '--json', '--as', 'redis-7.0.15', ...options]);
        expect(ran, `seed ${seed}`).toMatchObject({ exit: 0 });
        const { digest } = JSON.parse(ran.stdout) as { digest: string };
        await withServer({ dataDirectory: data }, async (server) => {
          expect(digest, `seed ${seed}: ${options.join(' ')}`).toBe(await server.digest());
        });
      }
    }
  });
});
