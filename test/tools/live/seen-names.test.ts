import { expect, it } from 'vitest';
import { SeenNames } from '../../../src/tools/live/seen-names.js';

it('names are met once in each database, however many there are', () => {
  const seen = new SeenNames();
  const name = (i: number) => Buffer.from(i === 0 ? '' : `key:${i}`);
  const news = (from: number) => {
    let count = 0;
    for (let i = 0; i < 20_000; i++) if (seen.add(from + (i % 3), name(i))) count++;
    return count;
  };
  expect([news(0), news(0), news(3)]).toEqual([20_000, 0, 20_000]);
});
