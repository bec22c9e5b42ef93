import { it } from 'vitest';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer, withServer } from '../support/server.js';
import { type Argument, Twin } from './engine-twin.js';

const NUMBERS = ['0', '-1', '10', '9', '2.5', '1e3', '-0', 'inf', '0x10', ' 7', '', '9007199254740993'];
const WORDS = ['pear', 'Apple', 'fig', '10', '9', 'fig', '\xff', '', 'nut\x00a'];
// Numbers out of range are left out: after one, the server refuses good numbers too until something resets its errno.
const BAD = ['x', '1 ', 'nan', ' ', '5\x00tail'];
const PATTERNS = ['w_*', 'w_*', 'h_*->rank', 'h_*->none', 'nosort', '*', 'x*y->', 'list_*', 'w_*->rank'];

class SortCommands {
  constructor(private readonly random: Random) {}

  /** Elements to sort, and the keys that patterns lead to. */
  fill(): Argument[][] {
    const { random } = this;
    const commands: Argument[][] = [['DEL', 'list', 'set', 'zset', 'weights', 'w_1']];
    const pool = random.pick([NUMBERS, NUMBERS, WORDS, [...NUMBERS, random.pick(BAD)]]);
    for (let i = random.below(random.pick([4, 12, 60])); i > 0; i--) {
      const element = random.once(2) ? random.pick(pool) : String(random.below(40));
      commands.push(['RPUSH', 'list', element], ['SADD', 'set', element]);
      commands.push(['ZADD', 'zset', String(random.between(-3, 3)), element]);
      if (random.once(2)) commands.push(['SET', `w_${element}`, random.pick(pool)]);
      if (random.once(2)) commands.push(['HSET', `h_${element}`, 'rank', random.pick(pool)]);
      if (random.once(9)) commands.push(['DEL', `w_${element}`]);
    }
    return commands;
  }

  /** A SORT whose result does not depend on the order in which the server walks a hash table. */
  next(): Argument[] {
    const { random } = this;
    const key = random.pick(['list', 'list', 'set', 'zset', 'missing']);
    const command: Argument[] = ['SORT', key];
    const alpha = random.once(2);
    if (random.once(2)) command.push('by', key !== 'list' && alpha ? 'nosort' : random.pick(PATTERNS));
    if (alpha) command.push('ALPHA');
    if (random.once(2)) command.push(random.pick(['DESC', 'asc']));
    if (random.once(2)) command.push('LIMIT', String(random.between(-1, 8)), String(random.between(-1, 12)));
    for (let i = random.pick([0, 0, 1, 2]); i > 0; i--)
      command.push('GET', random.pick([...PATTERNS, '#', '#']));
    if (random.once(60)) command.push(random.pick(['LIMIT', 'BY', 'NONSENSE']));
    return [...command, 'STORE', random.pick(['result', 'result', 'result', 'list'])];
  }
}

describeServer('the engine and a server agree on SORT', () => {
  for (const seed of THOROUGH ? [31, 32, 33] : [31, 33]) {
    it(`with random elements, weights and options of seed ${seed}`, async () => {
      await withServer({ writable: true }, async (server) => {
        const twin = new Twin(server);
        const commands = new SortCommands(new Random(seed));
        await twin.run('RPUSH', 'list_1', 'no string');
        for (let round = 0; round < (THOROUGH ? 90 : 45); round++) {
          for (const command of commands.fill()) await twin.run(...command);
          for (let i = 0; i < 16; i++) {
            await twin.run(...commands.next());
            await twin.compareList('result');
            await twin.compareList('list');
          }
        }
      });
    });
  }

  it('on which of several equal elements a limit leaves', async () => {
    await withServer({ writable: true }, async (server) => {
      const twin = new Twin(server);
      const random = new Random(34);
      for (const size of [3, 6, 7, 8, 20, 40, 41, 100, 700]) {
        await twin.run('DEL', 'list');
        for (let i = 0; i < size; i++) {
          await twin.run('RPUSH', 'list', `e${i}`);
          if (!random.once(5)) await twin.run('SET', `w_e${i}`, random.pick(['a', 'b', 'c', 'd']));
        }
        for (let i = 0; i < 12; i++) {
          const limit = ['LIMIT', String(random.below(size)), String(random.between(1, size))];
          await twin.run(
            'SORT',
            'list',
            'BY',
            'w_*',
            'ALPHA',
            ...limit,
            random.pick(['ASC', 'DESC']),
            'STORE',
            'r',
          );
          await twin.compareList('r');
        }
      }
    });
  });

  it('with a skiplist left behind that keeps the sign of zero', async () => {
    await withServer({ writable: true }, async (server) => {
      const twin = new Twin(server);
      for (const key of ['sorted', 'untouched']) {
        await twin.run('ZADD', key, '1', 'a');
        if (key === 'sorted') await twin.run('SORT', key, 'ALPHA', 'STORE', 'r');
        await twin.run('ZADD', key, '-0', 'b');
        await twin.compareZset(key);
      }
    });
  });
});
