import { expect, it } from 'vitest';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer, withServer } from '../support/server.js';
import { type Argument, Twin } from './engine-twin.js';

const UNITS = ['m', 'km', 'FT', 'mi'];
const EDGES = ['180', '-180', '85.05112878', '-85.05112878', '0', '90', '181', 'x', '66.0001', '-80.5'];

class GeoCommands {
  private readonly lon: number;
  private readonly lat: number;
  private readonly spread: number;

  constructor(private readonly random: Random) {
    // One region a test: the whole world, a country, a street; near the poles and at the antimeridian too.
    this.spread = random.pick([180, 20, 1, 0.001]);
    this.lon = random.pick([13.36, -179.99, 0, 100]);
    this.lat = random.pick([38.1, 84.9, -70, 0, 66]);
  }

  private float(): number {
    return this.random.word() / 2 ** 31 - 1;
  }

  position(): string[] {
    const { random } = this;
    const lon = Math.min(180, Math.max(-180, this.lon + this.float() * this.spread));
    const lat = Math.min(85.05, Math.max(-85.05, this.lat + (this.float() * this.spread) / 2));
    const pair = [String(lon), String(lat)];
    if (random.once(40)) pair[random.below(2)] = random.pick(EDGES);
    return pair;
  }

  member(): string {
    return `m${this.random.below(200)}`;
  }

  add(): Argument[] {
    const { random } = this;
    const places = Array.from({ length: random.between(1, 4) }, () => [
      ...this.position(),
      this.member(),
    ]).flat();
    return ['GEOADD', 'places', ...random.pick([[], [], ['NX'], ['xx', 'CH'], ['NX', 'XX']]), ...places];
  }

  search(): Argument[] {
    const { random } = this;
    const length = (): string =>
      String((random.below(1000) / 700) * this.spread * random.pick([1, 30, 1000]));
    const unit = random.pick(UNITS);
    const source = random.once(30) ? 'missing' : 'places';
    const options: string[] = [];
    if (random.once(2)) options.push('COUNT', String(random.between(random.once(20) ? 0 : 1, 20)));
    if (options.length > 0 && random.once(3)) options.push('ANY');
    if (random.once(3)) options.push(random.pick(['ASC', 'DESC']));
    if (random.once(60)) options.push('WITHDIST');
    const store = random.pick(['STORE', 'STORE', 'STOREDIST']);
    switch (random.below(3)) {
      case 0:
        return ['GEORADIUS', source, ...this.position(), length(), unit, ...options, store, 'found'];
      case 1:
        return ['GEORADIUSBYMEMBER', source, this.member(), length(), unit, ...options, store, 'found'];
      default: {
        const center = random.once(2) ? ['FROMMEMBER', this.member()] : ['FROMLONLAT', ...this.position()];
        const shape = random.once(2) ? ['BYRADIUS', length(), unit] : ['BYBOX', length(), length(), unit];
        if (store === 'STOREDIST') options.push('STOREDIST');
        return ['GEOSEARCHSTORE', 'found', source, ...center, ...shape, ...options];
      }
    }
  }
}

/** Distance of two doubles in steps of the last place. */
function stepsApart(a: number, b: number): number {
  const words = new BigInt64Array(new Float64Array([a, b]).buffer);
  return Math.abs(Number(words[0]! - words[1]!));
}

describeServer('the engine and a server agree on positions', () => {
  it('after random commands: what is found always, its score to the bit, its distance all but always', async () => {
    await withServer({ writable: true }, async (server) => {
      let distances = 0;
      let equal = 0;
      for (let seed = 41; seed < (THOROUGH ? 61 : 51); seed++) {
        const twin = new Twin(server);
        const commands = new GeoCommands(new Random(seed));
        await server.client.flushall();
        for (let i = 0; i < 60; i++) await twin.run(...commands.add());
        await twin.compareZset('places');
        for (let i = 0; i < 120; i++) {
          const command = commands.search();
          if (!(await twin.run(...command))) continue;
          const own = new Map(twin.sortedSetOfEngine('found'));
          const truth = new Map(await twin.sortedSetOfServer('found'));
          expect([...own.keys()].sort(), twin.context).toEqual([...truth.keys()].sort());
          const measured = command.includes('STOREDIST');
          for (const [member, score] of truth) {
            const steps = stepsApart(own.get(member)!, score);
            // The C library's sine is not always the nearest double; ours is.
            expect(steps, `${member}\n${twin.context}`).toBeLessThanOrEqual(measured ? 2 : 0);
            if (measured) distances++;
            if (measured && steps === 0) equal++;
          }
        }
      }
      expect(distances).toBeGreaterThan(2000);
      expect(equal / distances).toBeGreaterThan(0.995);
    });
  });

  it('on which of several points at one distance a count leaves', async () => {
    await withServer({ writable: true }, async (server) => {
      const twin = new Twin(server);
      for (let i = 0; i < 120; i++) {
        await twin.run('GEOADD', 'places', String(10 + (i % 3)), String(20 + (i % 4)), `m${(i * 37) % 120}`);
      }
      for (let count = 1; count < 120; count += 7) {
        for (const order of ['ASC', 'DESC']) {
          const search = ['FROMLONLAT', '10', '20', 'BYRADIUS', '900', 'km', 'COUNT', String(count), order];
          await twin.run('GEOSEARCHSTORE', 'found', 'places', ...search);
          await twin.compareZset('found');
        }
      }
    });
  });

  it('on sorted sets that hold no positions', async () => {
    await withServer({ writable: true }, async (server) => {
      const twin = new Twin(server);
      const scores = [
        '-1',
        '1.5',
        '1e15',
        '4503599627370496',
        '9007199254740993',
        '1e19',
        '1e300',
        '-inf',
        'inf',
        '3',
      ];
      for (const score of scores) await twin.run('ZADD', 'places', score, `at ${score}`);
      for (const score of scores) {
        await twin.run('GEORADIUSBYMEMBER', 'places', `at ${score}`, '3000', 'km', 'STORE', 'found');
        await twin.compareZset('found');
      }
      await twin.run('SET', 'text', 'x');
      await twin.run('GEORADIUSBYMEMBER', 'text', 'm', '1', 'km', 'STORE', 'found');
      await twin.run('GEOADD', 'text', '1', '1', 'm');
    });
  });
});
