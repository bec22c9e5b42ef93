import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { APPLIED, FAILED } from '../../src/keyspace/outcome.js';
import { EngineDriver } from './engine-driver.js';

// All bytes here were read from redis-server 7.0.15.
const ABC = '48594c4c01000000000000000000008060f38050b1844bfb80425a';
const FOUR = '48594c4c0100000000000000000000805cb3904207844858804a8e844e57';

describe('HyperLogLog strings', () => {
  test('a new one is sparse, its cache out of date', () => {
    const driver = new EngineDriver();
    driver.run('PFADD empty');
    expect(driver.string('empty')!.toString('hex')).toBe('48594c4c0100000000000000000000807fff');
  });

  test('elements split the zeros, and a second addition changes nothing', () => {
    const driver = new EngineDriver();
    driver.run('PFADD h a b c');
    expect(driver.string('h')!.toString('hex')).toBe(ABC);
    driver.run('PFCOUNT h');
    const counted = driver.string('h')!.toString('hex');
    expect(counted).toBe(ABC.replace('000000000000008060', '030000000000000060'));
    driver.run('PFADD h b');
    expect(driver.string('h')!.toString('hex')).toBe(counted);
  });

  test('a merge of sparse ones is sparse, of old servers dense', () => {
    const merge = (release: number): Buffer => {
      const driver = new EngineDriver({ release });
      driver.run('PFADD h a b c');
      driver.run('PFADD g foo bar zap a');
      expect(driver.string('g')!.toString('hex')).toBe(FOUR);
      driver.run('PFMERGE m h g');
      return driver.string('m')!;
    };
    const sparse = merge(700);
    expect(sparse.toString('hex')).toBe(
      '48594c4c0100000000000000000000805cb3904207844235804621804a8e844bfb80425a',
    );
    expect(merge(302).length).toBe(12304);
  });

  test('it turns dense where the server turns it, byte for byte', () => {
    const driver = new EngineDriver();
    for (let i = 0; i < 1683; i++) driver.run(`PFADD big e${i}`);
    expect(driver.string('big')!.length).toBeLessThanOrEqual(3000);
    driver.run('PFADD big e1683');
    driver.run('PFCOUNT big');
    const digest = createHash('sha1').update(driver.string('big')!).digest('hex');
    expect(digest).toBe('3706f48f0765c823f9848efaf1dc3a7587395459');
  });

  test('the size at which it turns dense is a setting', () => {
    const driver = new EngineDriver({ thresholds: { hllSparseMaxBytes: 20 } });
    driver.run('PFADD h a b c');
    expect(driver.string('h')!.length).toBe(12304);
  });

  test('each generation estimates in its own way', () => {
    const count = (release: number): number => {
      const driver = new EngineDriver({ release });
      for (let i = 0; i < 60_000; i++) driver.run(`PFADD h e${i}`);
      driver.run('PFCOUNT h');
      return driver.string('h')!.readUInt32LE(8);
    };
    const counts = [count(302), count(400), count(500)];
    expect(new Set(counts).size).toBe(3);
    for (const estimate of counts) expect(Math.abs(estimate - 60_000)).toBeLessThan(1_500);
  });

  test('other strings and damaged ones are refused and left alone', () => {
    const driver = new EngineDriver();
    driver.run('SET text HYLLO');
    expect(driver.run('PFADD text a')).toBe(FAILED);
    expect(driver.engine.lastError).toMatch(/^WRONGTYPE/);
    const short = Buffer.from(`${ABC.slice(0, -2)}59`, 'hex');
    driver.run('SET', 'short', short);
    expect(driver.run('PFCOUNT short')).toBe(FAILED);
    expect(driver.engine.lastError).toMatch(/^INVALIDOBJ/);
    expect(driver.run('PFMERGE target short')).toBe(FAILED);
    expect(driver.string('short')).toEqual(short);
    expect(driver.string('target')).toBeNull();
    expect(driver.run('PFCOUNT nothing')).toBe(APPLIED);
  });
});
