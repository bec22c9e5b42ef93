import { expect, it } from 'vitest';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer, withServer } from '../support/server.js';
import { type Argument, Twin } from './engine-twin.js';

const KEYS = ['s0', 's1', 's2'];
const GROUPS = ['g', 'group-2', 'g\xff'];
const CONSUMERS = ['alice', 'bob', 'c', '\x00'];
/** Values around the sizes at which a server's listpack changes its encoding. */
const VALUES = [
  '',
  '0',
  '-1',
  '00',
  '-0',
  '127',
  '128',
  '4095',
  '4096',
  '-4096',
  '-4097',
  '32767',
  '32768',
  '8388607',
  '8388608',
  '2147483647',
  '2147483648',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  'a',
  'x'.repeat(63),
  'x'.repeat(64),
  'y'.repeat(126),
  'y'.repeat(127),
  'z'.repeat(700),
  'z'.repeat(4100),
]; // prettier-ignore

/** Random stream commands over few keys, ids and names, so that they meet. */
class StreamCommands {
  private ms = 1;

  constructor(private readonly random: Random) {}

  next(): Argument[] {
    const { random } = this;
    const key = random.pick(KEYS);
    const kind = random.below(100);
    if (kind < 45) return this.add(key);
    if (kind < 53) return ['XDEL', key, ...this.ids(1, 4)];
    if (kind < 57) return ['XTRIM', key, ...this.trim()];
    if (kind < 60) return this.setId(key);
    if (kind < 70) return this.group(key);
    if (kind < 76) return ['XACK', key, random.pick(GROUPS), ...this.ids(1, 4)];
    if (kind < 86) return this.claim(key);
    if (kind < 89) return this.autoclaim(key);
    if (kind < 99) return this.read(key);
    return random.once(3) ? ['SET', key, 'text'] : ['DEL', key];
  }

  private id(): string {
    const { random } = this;
    const ms = Math.max(0, this.ms - random.below(12) + random.below(2));
    if (random.once(10)) return `${ms}`;
    if (random.once(60))
      return random.pick(['-', '+', 'x', '5-', '-5', '007-01', '18446744073709551616', '1-2-3', '']);
    return `${ms}-${random.below(4)}`;
  }

  private ids(low: number, high: number): string[] {
    return Array.from({ length: this.random.between(low, high) }, () => this.id());
  }

  private trim(): string[] {
    const { random } = this;
    const sign = random.pick([[], ['='], ['~'], ['~']]);
    const limit = sign[0] === '~' && random.once(3) ? ['LIMIT', '0'] : [];
    if (random.once(2))
      return ['MAXLEN', ...sign, random.pick(['0', '3', '10', '40', '-1', 'x', '150']), ...limit];
    return ['MINID', ...sign, this.id(), ...limit];
  }

  private add(key: string): Argument[] {
    const { random } = this;
    if (random.once(2)) this.ms += random.below(3);
    const id = random.pick([
      `${this.ms}-${random.below(6)}`,
      `${this.ms}-*`,
      `${this.ms}-*`,
      `${this.ms}`,
      this.id(),
    ]);
    const names = random.pick([['a'], ['a'], ['a', 'b'], ['a', 'b'], ['b', 'a'], ['1', '-5', 'f'], ['']]);
    const pairs = names.flatMap((name) => [name, this.value()]);
    if (random.once(80)) pairs.pop();
    const options = random.once(6) ? this.trim() : [];
    if (random.once(10)) options.push('NOMKSTREAM');
    return ['XADD', key, ...options, id, ...pairs];
  }

  private value(): Argument {
    const { random } = this;
    return random.once(12)
      ? random.bytes(random.below(300))
      : random.pick(VALUES.slice(0, random.once(8) ? 27 : 22));
  }

  private setId(key: string): string[] {
    const { random } = this;
    const id = random.once(2) ? `${this.ms}-${random.below(8)}` : this.id();
    const added = random.once(2)
      ? ['ENTRIESADDED', random.pick(['0', '5', '1000', '-1', '9007199254740993'])]
      : [];
    return ['XSETID', key, id, ...added, ...(random.once(3) ? ['MAXDELETEDID', this.id()] : [])];
  }

  private group(key: string): string[] {
    const { random } = this;
    const group = random.pick(GROUPS);
    const reads = random.once(3) ? ['ENTRIESREAD', random.pick(['0', '3', '-1', '-2', 'x'])] : [];
    const id = random.pick(['$', '0', this.id()]);
    switch (random.below(10)) {
      case 0:
        return ['XGROUP', 'DESTROY', key, group];
      case 1:
        return ['XGROUP', 'CREATECONSUMER', key, group, random.pick(CONSUMERS)];
      case 2:
        return ['XGROUP', 'DELCONSUMER', key, group, random.pick(CONSUMERS)];
      case 3:
      case 4:
        return ['XGROUP', 'SETID', key, group, id, ...reads];
      case 5:
        return ['xgroup', 'create', key, group, id, 'mkstream', ...reads];
      default:
        return ['XGROUP', 'CREATE', key, group, id, ...reads];
    }
  }

  private claim(key: string): string[] {
    const { random } = this;
    const command = ['XCLAIM', key, random.pick(GROUPS), random.pick(CONSUMERS)];
    command.push(random.pick(['0', '0', '0', '10000000', '-4']), ...this.ids(1, 4));
    if (random.once(2)) command.push('TIME', String(random.pick([5, 77, 123456, -5, -1])));
    if (random.once(8)) command.push('IDLE', random.pick(['0', '-20']));
    if (random.once(2)) command.push('RETRYCOUNT', random.pick(['0', '7', '-1', '9223372036854775807']));
    if (random.once(2)) command.push('FORCE');
    if (random.once(2)) command.push('justid');
    if (random.once(3)) command.push('LASTID', this.id());
    if (random.once(30)) command.push('NONSENSE');
    return command;
  }

  private autoclaim(key: string): string[] {
    const { random } = this;
    const command = ['XAUTOCLAIM', key, random.pick(GROUPS), random.pick(CONSUMERS)];
    command.push(random.pick(['0', '10000000']), random.pick(['-', '0', this.id(), `(${this.id()}`]));
    if (random.once(2)) command.push('COUNT', random.pick(['1', '2', '0']));
    if (random.once(2)) command.push('JUSTID');
    return command;
  }

  private read(key: string): string[] {
    const { random } = this;
    const command = ['XREADGROUP', 'GROUP', random.pick(GROUPS), random.pick(CONSUMERS)];
    if (random.once(2)) command.push('COUNT', random.pick(['1', '3', '0', '-3']));
    if (random.once(4)) command.push('NOACK');
    command.push('STREAMS', key);
    if (random.once(5)) return [...command, random.pick(KEYS), '>', '>'];
    return [...command, random.pick(['>', '>', '>', '0', this.id()])];
  }
}

describeServer('the engine and a server agree on streams', () => {
  for (const seed of THOROUGH ? [1, 2, 3, 108] : [1, 108]) {
    it(`after random commands of seed ${seed}`, async () => {
      await withServer({ writable: true }, async (server) => {
        const twin = new Twin(server);
        const random = new Random(seed);
        const commands = new StreamCommands(random);
        for (let i = 1; i <= 2500; i++) {
          const command = commands.next();
          await twin.run(...command);
          const key = String(command[/^XGROUP$/i.test(String(command[0])) ? 2 : 1]);
          if (i % 10 === 0 && KEYS.includes(key)) await twin.compareStreamOrString(key);
          if (i % 250 === 0) for (const name of KEYS) await twin.compareStreamOrString(name);
        }
      });
    });
  }

  it('on which nodes an approximate trim can remove', async () => {
    await withServer({ writable: true }, async (server) => {
      const twin = new Twin(server);
      const random = new Random(7);
      for (let i = 1; i <= 4000; i++) {
        const pairs = Array.from({ length: random.between(1, 3) }, (_, k) => [
          `f${k}`,
          random.pick(VALUES),
        ]).flat();
        await twin.run('XADD', 's', `${1000 + Math.floor(i / 3) * random.between(1, 1)}-*`, ...pairs);
        if (i % 97 === 0) await twin.run('XDEL', 's', `${1000 + Math.floor(i / 3)}-0`);
        if (i % 500 !== 0) continue;
        const length = await server.client.xlen('s');
        await twin.run('XTRIM', 's', 'MAXLEN', '~', String(Math.floor(length * 0.7)));
        expect(await server.client.xlen('s')).toBeLessThan(length);
        await twin.compareStreamOrString('s');
        await twin.run('XTRIM', 's', 'MINID', '~', `${1000 + Math.floor(i / 6)}`);
        await twin.compareStreamOrString('s');
      }
    });
  });

  it('on ids beyond 2^53 and at the very end', async () => {
    await withServer({ writable: true }, async (server) => {
      const twin = new Twin(server);
      await twin.run('XADD', 's', '9007199254740993-9007199254740995', 'a', '1');
      await twin.run('XADD', 's', '9007199254740993-18446744073709551615', 'a', '2');
      await twin.run('XADD', 's', '9007199254740993-*', 'a', 'full');
      await twin.run('XADD', 's', '18446744073709551615-5', 'a', '3');
      await twin.run('XDEL', 's', '9007199254740993-9007199254740995');
      await twin.run('XGROUP', 'CREATE', 's', 'g', '0', 'ENTRIESREAD', '9223372036854775807');
      await twin.run('XADD', 's', '*', 'a', '4');
      await twin.compareStreamOrString('s');
      await twin.run('XADD', 's', '18446744073709551615-18446744073709551615', 'a', '5');
      await twin.run('XADD', 's', '*', 'a', '6');
      await twin.compareStreamOrString('s');
    });
  });
});
