import { it } from 'vitest';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer, withServer } from '../support/server.js';
import { type Argument, Twin } from './engine-twin.js';

const KEYS = ['h0', 'h1', 'h2', 'h3', 'h4', 'h5'];

describeServer('the engine and a server agree on HyperLogLog strings', () => {
  for (const seed of THOROUGH ? [11, 12] : [11]) {
    it(`byte for byte after random commands of seed ${seed}`, async () => {
      await withServer({ writable: true }, async (server) => {
        const twin = new Twin(server);
        const random = new Random(seed);
        let fresh = 0;
        const element = (): Argument =>
          random.once(20)
            ? random.bytes(random.below(40))
            : `element:${random.once(5) ? random.below(fresh + 1) : fresh++}`;
        for (let i = 1; i <= 900; i++) {
          const key = random.pick(KEYS);
          const elements = Array.from({ length: random.below(random.pick([3, 30, 200])) }, element);
          await twin.run('PFADD', key, ...elements);
          if (random.once(4)) await twin.run('PFCOUNT', key);
          if (random.once(40)) await twin.run('PFMERGE', random.pick(KEYS), key, random.pick(KEYS));
          if (random.once(80))
            await twin.run('PFDEBUG', random.pick(['TODENSE', 'GETREG', 'ENCODING']), random.pick(KEYS));
          if (random.once(30)) await twin.run('DEL', random.pick(KEYS));
          if (i % 20 === 0) for (const name of KEYS) await twin.compareString(name);
        }
      });
    });
  }

  it('also on strings that are none, and on damaged ones', async () => {
    await withServer({ writable: true }, async (server) => {
      const twin = new Twin(server);
      const random = new Random(13);
      await twin.run('PFADD', 'sparse', ...Array.from({ length: 60 }, (_, i) => `e${i}`));
      await twin.run('PFADD', 'dense', 'x');
      await twin.run('PFDEBUG', 'TODENSE', 'dense');
      for (let i = 0; i < 400; i++) {
        const name = random.pick(['sparse', 'dense']);
        const bytes = (await server.client.getBuffer(name))!;
        bytes[random.once(3) ? random.below(17) : random.below(bytes.length)] = random.below(256);
        const cut = random.once(6) ? random.below(bytes.length) : bytes.length;
        await twin.run('SET', 'damaged', bytes.subarray(0, cut));
        await twin.run(
          ...random.pick<Argument[]>([
            ['PFADD', 'damaged', `more${i}`, `e${i}`, `z${i}`],
            ['PFCOUNT', 'damaged'],
            ['PFMERGE', 'damaged', 'sparse'],
            ['PFMERGE', 'sparse-copy', 'damaged', 'sparse'],
            ['PFDEBUG', 'TODENSE', 'damaged'],
          ]),
        );
        await twin.compareString('damaged');
        await twin.compareString('sparse-copy');
        await twin.run('DEL', 'damaged', 'sparse-copy');
      }
    });
  });
});
