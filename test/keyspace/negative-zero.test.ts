import { describe, expect, test } from 'vitest';
import { EngineDriver } from './engine-driver.js';
import { Picture } from './picture.js';

describe('a score of -0', () => {
  const scoreAfter = (commands: string, release: number): unknown => {
    const driver = new EngineDriver({ release });
    for (const line of commands.split(' | ')) driver.run(line);
    return Picture.of(driver.engine.keyspace).values['0 a'];
  };

  test('loses its sign where a server packs it', () => {
    expect(scoreAfter('ZADD a -0 x', 700)).toEqual([['x', 0]]);
    expect(scoreAfter('ZADD a -0 x', 602)).toEqual([['x', -0]]);
  });

  test('keeps it in a skiplist, which never becomes packed again', () => {
    const long = 'm'.repeat(65);
    expect(scoreAfter(`ZADD a 1 ${long} | ZREM a ${long} | ZADD a -0 x`, 700)).toEqual([['x', 0]]);
    expect(scoreAfter(`ZADD a 1 y 1 ${long} | ZREM a ${long} | ZADD a -0 x`, 700)).toEqual([
      ['x', -0],
      ['y', 1],
    ]);
  });

  test('loses it in the result of a union that is packed at last', () => {
    expect(scoreAfter('ZADD b 0 x | ZUNIONSTORE a 1 b WEIGHTS -1', 700)).toEqual([['x', 0]]);
    expect(scoreAfter('ZADD b 0 x | ZUNIONSTORE a 1 b WEIGHTS -1', 602)).toEqual([['x', -0]]);
  });
});
