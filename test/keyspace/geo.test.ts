import { describe, expect, test } from 'vitest';
import { arcSine, cosine, sine } from '../../src/keyspace/geo-trigonometry.js';
import { Position, scoreOfPosition } from '../../src/keyspace/geohash.js';
import { APPLIED, FAILED } from '../../src/keyspace/outcome.js';
import { partialSort } from '../../src/keyspace/partial-sort.js';
import { ZsetView } from '../../src/keyspace/zsets.js';
import { Random } from '../support/random.js';
import { EngineDriver } from './engine-driver.js';

function members(driver: EngineDriver, key: string): [string, number][] {
  const entry = driver.engine.db.find(Buffer.from(key), 0, key.length);
  if (entry < 0) return [];
  const view = new ZsetView().open(driver.engine.db, entry);
  view.select(0, view.size);
  return Array.from({ length: view.size }, (_, rank) => {
    view.seek(rank);
    return [view.member.latin1(), view.score];
  });
}

describe('positions', () => {
  test('have the scores of the servers', () => {
    // Read from redis-server 7.0.15.
    expect(scoreOfPosition(13.361389, 38.115556)).toBe(3479099956230698);
    expect(scoreOfPosition(15.087269, 37.502669)).toBe(3479447370796909);
    expect(scoreOfPosition(-180, -85.05112878)).toBe(0);
    expect(scoreOfPosition(180, 85.05112878)).toBe(13510798882111488);
  });

  test('come back within a step of the grid', () => {
    const random = new Random(1);
    const position = new Position();
    for (let i = 0; i < 2000; i++) {
      const lon = (random.word() / 2 ** 32) * 360 - 180;
      const lat = (random.word() / 2 ** 32) * 170 - 85;
      position.decode(scoreOfPosition(lon, lat));
      expect(Math.abs(position.lon - lon)).toBeLessThan(360 / 2 ** 26);
      expect(Math.abs(position.lat - lat)).toBeLessThan(171 / 2 ** 26);
    }
  });

  test('are found and measured as redis-server 7.0.15 does', () => {
    const driver = new EngineDriver({ release: 700 });
    driver.run('GEOADD p 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 2.35 48.85 Paris');
    driver.run('GEOSEARCHSTORE d p FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST');
    expect(members(driver, 'd')).toEqual([
      ['Catania', 56.441257870158204],
      ['Palermo', 190.44242984775784],
    ]);
    driver.run('GEORADIUS p 15 37 200 km COUNT 1 STORE d');
    expect(members(driver, 'd')).toEqual([['Catania', 3479447370796909]]);
    driver.run('GEORADIUSBYMEMBER p Paris 1 m STORE d');
    expect(members(driver, 'd').map(([member]) => member)).toEqual(['Paris']);
    expect(driver.run('GEORADIUS p 15 37 1 m STORE d')).toBe(APPLIED);
    expect(members(driver, 'd')).toEqual([]);
    expect(driver.run('GEORADIUSBYMEMBER p nobody 1 m STORE d')).toBe(FAILED);
    expect(driver.run('GEOADD p 181 0 nowhere')).toBe(FAILED);
  });

  test('a search of nothing leaves its destination before 6.2', () => {
    // Asked of 3.2.12, 4.0.14, 5.0.14, 6.2.16 and 7.0.15; arguments are not looked at either.
    for (const [release, left] of [
      [402, 1],
      [500, 1],
      [602, 0],
      [700, 0],
    ] as const) {
      const driver = new EngineDriver({ release });
      driver.run('ZADD d 1 a');
      expect(driver.run('GEORADIUS nothing 1 1 1 km STORE d')).toBe(APPLIED);
      expect(members(driver, 'd').length).toBe(left);
    }
    const driver = new EngineDriver({ release: 400 });
    expect(driver.run('GEORADIUS nothing x x x x STORE d')).toBe(APPLIED);
  });
});

describe('sine, cosine and arc sine', () => {
  // The nearest doubles, from series in exact fractions.
  test.each([
    [0.5, 0.479425538604203, 0.8775825618903728],
    [1e-9, 1e-9, 1],
    [1.4844222297453324, 0.99627207622075, 0.08626673833405434],
    [2.5, 0.5984721441039565, -0.8011436155469337],
    [-3, -0.1411200080598672, -0.9899924966004454],
    [Math.PI, 1.2246467991473532e-16, -1],
    [-Math.PI / 2, -1, 6.123233995736766e-17],
  ])('of %d', (x, s, c) => {
    expect(sine(x)).toBe(s);
    expect(cosine(x)).toBe(c);
  });

  test('undo each other as far as doubles go', () => {
    const random = new Random(2);
    for (let i = 0; i < 3000; i++) {
      const x = random.word() / 2 ** 32;
      expect(Math.abs(arcSine(x) - Math.asin(x))).toBeLessThanOrEqual(2 ** -52 * Math.asin(x));
      expect(Math.abs(sine(arcSine(x)) - x)).toBeLessThanOrEqual(2 ** -52 * x);
      const angle = x * 3;
      expect(Math.abs(sine(angle) ** 2 + cosine(angle) ** 2 - 1)).toBeLessThan(4e-16);
    }
    expect(arcSine(0)).toBe(0);
    expect(arcSine(1)).toBe(Math.PI / 2);
  });
});

describe('a partial sort', () => {
  test('puts the wanted ranks where a whole sort puts them', () => {
    const random = new Random(3);
    for (let round = 0; round < 300; round++) {
      const size = random.pick([0, 1, 5, 6, 7, 8, 39, 40, 41, 200]);
      const items = Array.from({ length: size }, () => random.below(round % 2 === 0 ? 1000 : 5));
      const whole = [...items].sort((a, b) => a - b);
      const first = random.below(size);
      const last = first + random.below(size - first);
      partialSort(items, (a, b) => a - b, first, last);
      expect(items.slice(first, last + 1)).toEqual(whole.slice(first, last + 1));
      expect([...items].sort((a, b) => a - b)).toEqual(whole);
    }
  });
});
