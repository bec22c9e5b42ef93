import { it } from 'vitest';
import { THOROUGH } from '../support/effort.js';
import { Random } from '../support/random.js';
import { describeServer, withServer } from '../support/server.js';
import { type Argument, Twin } from './engine-twin.js';

const KEYS = ['b0', 'b1', 'b2', 'b3', 'missing', 'stream'];
const TYPES = [
  'u1',
  'u8',
  'u31',
  'u32',
  'u33',
  'u52',
  'u53',
  'u54',
  'u63',
  'i1',
  'i2',
  'i8',
  'i32',
  'i33',
  'i53',
];
const MORE_TYPES = ['i54', 'i63', 'i64', 'i64', 'i64', 'u64', 'i0', 'u', 'x8', 'i65', 'I8', 'u08'];
const BOUNDS = [
  0n,
  1n,
  -1n,
  127n,
  128n,
  255n,
  2n ** 31n,
  2n ** 32n,
  2n ** 52n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
];

class BitCommands {
  constructor(private readonly random: Random) {}

  next(): Argument[] {
    const { random } = this;
    const key = random.pick(KEYS);
    switch (random.below(12)) {
      case 0:
      case 1:
        return ['SETBIT', key, this.offset(), random.pick(['0', '1', '1', '1', '2', 'x', '01'])];
      case 2:
      case 3:
        return [
          'BITOP',
          random.pick(['AND', 'or', 'XOR', 'NOT', 'NAND']),
          random.pick(KEYS),
          ...this.sources(),
        ];
      case 4:
        return ['SET', key, random.once(3) ? String(random.below(100000)) : random.bytes(random.below(90))];
      case 5:
        return random.once(3) ? ['DEL', key] : ['BITFIELD', key, ...this.type('GET')];
      default: {
        const parts: string[] = [];
        for (let i = random.between(1, 5); i > 0; i--) parts.push(...this.operation());
        return ['BITFIELD', key, ...parts];
      }
    }
  }

  private sources(): string[] {
    return Array.from({ length: this.random.pick([1, 1, 2, 3, 4]) }, () => this.random.pick(KEYS));
  }

  private offset(): string {
    const { random } = this;
    if (random.once(30)) return random.pick(['-1', '#', 'x', '4294967296', '9223372036854775807', '']);
    return String(random.below(random.pick([8, 64, 700])));
  }

  private type(verb: string): string[] {
    const { random } = this;
    const offset = random.once(3) ? `#${random.below(9)}` : this.offset();
    return [verb, random.pick(random.once(12) ? MORE_TYPES : [...TYPES, 'i63', 'i64', 'i64']), offset];
  }

  private operation(): string[] {
    const { random } = this;
    if (random.once(4))
      return ['OVERFLOW', random.pick(['WRAP', 'sat', 'FAIL', random.once(10) ? 'nope' : 'SAT'])];
    if (random.once(6)) return this.type('GET');
    return [...this.type(random.pick(['SET', 'incrby', 'INCRBY'])), this.value()];
  }

  private value(): string {
    const { random } = this;
    if (random.once(40)) return random.pick(['9223372036854775808', '+1', 'x', '']);
    if (random.once(20)) return String(-(2n ** 63n) + BigInt(random.below(200)));
    const bound = random.pick(BOUNDS) + BigInt(random.between(-2, 2));
    const signed = random.once(3) ? -bound : bound;
    return String(BigInt.asIntN(64, signed));
  }
}

describeServer('the engine and a server agree on bits', () => {
  for (const seed of THOROUGH ? [21, 22, 23, 24] : [21, 24]) {
    it(`after random commands of seed ${seed}`, async () => {
      await withServer({ writable: true }, async (server) => {
        const twin = new Twin(server);
        const commands = new BitCommands(new Random(seed));
        await twin.run('XADD', 'stream', '1-1', 'a', 'b');
        for (let i = 1; i <= 2500; i++) {
          const command = commands.next();
          await twin.run(...command);
          await twin.compareStreamOrString(String(command[command[0] === 'BITOP' ? 2 : 1]));
        }
      });
    });
  }
});
