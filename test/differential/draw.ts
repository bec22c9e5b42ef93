import type { Random } from '../support/random.js';
import type { Word } from './connection.js';

/** What a workload draws from besides its seed. */
export interface Supplies {
  /** Values as the server's own DUMP gives them. */
  readonly payloads: readonly Buffer[];
  /** Libraries as FUNCTION DUMP gives them. */
  readonly libraries: readonly Buffer[];
  readonly nowMs: number;
  /** False: sizes are not bounded by who runs it, so no offset may be large. */
  readonly bounded: boolean;
}

const NUMBERS = ['0', '1', '-1', '2', '7', '-7', '100', '65', '-100', '12345678901', '9007199254740993'];
const EDGES = [
  ...[
    '127',
    '128',
    '255',
    '256',
    '32767',
    '32768',
    '65535',
    '65536',
    '2147483647',
    '2147483648',
    '-2147483649',
  ],
  ...['4294967295', '4294967296', '9007199254740991', '9223372036854775806', '9223372036854775807'],
  ...['-9223372036854775807', '-9223372036854775808', '-128', '-129', '-32769'],
];
const NO_NUMBERS = [
  ...['', 'x', '1.5', '01', '+1', ' 1', '1 ', '-0', '--1', '0x10', '1e3', '9223372036854775808', '1\0', '١'],
  ...['-9223372036854775809', '18446744073709551615', '18446744073709551616', '99999999999999999999999', '-'],
];
const FLOATS = [
  ...['0.1', '-2.5', '1e10', '3', '1e-7', '123456.789', '-0', '3.0e3', '.5', '5.', '17179869184.000001', '0'],
  ...[
    '1e17',
    '-1e300',
    '1e-300',
    '0.30000000000000004',
    '1e308',
    '4.9e-324',
    '2.2250738585072014e-308',
    '0x1p3',
  ],
];
const NO_FLOATS = [
  'nan',
  'NaN',
  '-nan',
  'inf',
  '+inf',
  '-inf',
  'Infinity',
  '1e400',
  '1e-400',
  '1,5',
  '1e',
  '',
  ' 1',
  '1 ',
];
const SCORES = [
  ...['1', '2.5', '-7', '1e300', '0.1', 'inf', '-inf', '+inf', '-0', '0', '+5', '1e5', '3.3333333333333335'],
  ...[
    '9007199254740993',
    '1e-5',
    '1.7976931348623157e308',
    '5e-324',
    '-1e-320',
    '123456789012345678',
    '0.0001',
  ],
];
const STRANGE = [
  '\0',
  '\xff\xfe',
  '\r\n',
  '*1\r\n$4\r\nPING\r\n',
  '\xc3\x28',
  '%s%n',
  '../../etc',
  '"',
  '\x1b[31m',
];
const PAST_MS = ['1', '1000', '1500000000000', '1772366399999'];
const FAR_MS = 4102444800000;
const HOSTILE = [
  ...NUMBERS,
  ...EDGES,
  ...NO_NUMBERS,
  ...NO_FLOATS,
  ...STRANGE,
  'FIELDS',
  'COUNT',
  'NX',
  'STORE',
];

/** Prefixes of keys by what is mostly in them: strings, bits, HyperLogLogs, lists, sets, … */
const LETTERS = ['s', 'b', 'p', 'l', 'S', 'z', 'f', 'h', 'g', 'x', 'a', 'v'];

/** Draws words of every kind that templates name; few keys, members and ids, so that they meet. */
export class Draw {
  private readonly kinds: Readonly<Record<string, () => Word>>;

  constructor(
    readonly random: Random,
    private readonly supplies: Supplies,
  ) {
    const r = random;
    const digits = (low: number, high: number): string => String(r.between(low, high));
    const numberOr = (usual: () => string): string => {
      if (r.once(25)) return r.pick(NO_NUMBERS);
      return r.once(12) ? r.pick(EDGES) : usual();
    };
    const small = (): string => (r.once(20) ? numberOr(() => r.pick(NUMBERS)) : digits(-9, 9));
    const integer = (): string => numberOr(() => (r.once(3) ? r.pick(NUMBERS) : digits(-300, 300)));
    const float = (): string =>
      r.once(15) ? r.pick([...NO_FLOATS, ...NO_NUMBERS]) : r.once(2) ? r.pick(FLOATS) : digits(-50, 50);
    const score = (): string =>
      r.once(25) ? r.pick([...NO_FLOATS, ...NO_NUMBERS]) : r.once(3) ? r.pick(SCORES) : digits(-9, 9);
    const id = (): string =>
      r.once(30)
        ? r.pick([
            '-',
            '+',
            'x',
            '5-',
            '-5',
            '007-01',
            '18446744073709551615',
            '1-2-3',
            '',
            '0-0',
            '0',
            '1-x',
          ])
        : r.once(8)
          ? digits(0, 40)
          : `${r.between(1, 40)}-${r.below(5)}`;
    const bound = (): string => `${r.pick(['', '', '('])}${r.once(2) ? score() : small()}`;
    const time = (inMs: number): string => {
      if (r.once(20)) return numberOr(() => r.pick(NUMBERS));
      const ms = r.once(4) ? Number(r.pick(PAST_MS)) : FAR_MS + r.below(1e9);
      return String(inMs === 1 ? ms : Math.floor(ms / inMs));
    };
    this.kinds = {
      any: () => this.key(r.pick(LETTERS)),
      integer,
      small,
      float,
      score,
      bound,
      id,
      text: () => this.text(),
      member: () => this.member(),
      count: () => (r.once(15) ? small() : digits(1, 6)),
      rank: () => (r.once(3) ? digits(-40, 60) : small()),
      offset: () => this.offset(),
      bit: () => (r.once(15) ? r.pick(['2', '-1', 'x', '01', '']) : digits(0, 1)),
      bits: () => this.bitType(),
      bitoffset: () => (r.once(3) ? `#${r.below(9)}` : this.offset()),
      lex: () => (r.once(4) ? r.pick(['-', '+', 'x', '', '[', '(']) : `${r.pick(['[', '('])}m${r.below(12)}`),
      group: () => r.pick(['g0', 'g1', 'g\xff']),
      consumer: () => r.pick(['alice', 'bob', '\0', '']),
      newid: () => (r.once(3) ? `${r.between(1, 60)}-*` : id()),
      lastid: () => (r.once(4) ? '$' : r.once(3) ? '0' : id()),
      db: () => (r.once(15) ? r.pick(['x', '-1', '', '01']) : digits(0, 3)),
      seconds: () => (r.once(20) ? this.hostileTime() : String(10_000 * r.between(1, 9))),
      millis: () => (r.once(20) ? this.hostileTime() : String(10_000_000 * r.between(1, 9))),
      at: () => time(1000),
      atms: () => time(1),
      soon: () => digits(1, 20),
      lon: () =>
        r.once(20)
          ? r.pick(['181', '-180.1', 'x', 'nan', 'inf', ''])
          : (r.between(-1800, 1800) / 10).toFixed(2),
      lat: () => (r.once(20) ? r.pick(['86', '-85.06', 'x', '']) : (r.between(-850, 850) / 10).toFixed(2)),
      distance: () => (r.once(15) ? float() : digits(0, 9000)),
      payload: () => this.payload(supplies.payloads),
      libraries: () => this.payload(supplies.libraries),
      library: () => this.library(),
      pattern: () => r.pick(['*', 'nosort', 's*', 'h*->m1', '#', 'l*', 'z*->', '*->*', 'weight_*', 'x']),
      hostile: () => this.hostile(),
      index: () =>
        r.once(15) ? numberOr(() => r.pick(NUMBERS)) : r.once(4) ? digits(0, 5000) : digits(0, 40),
      vector: () => (r.once(15) ? float() : r.pick(['1', '0', '-1', '0.5', '0.25', '3'])),
      producer: () => r.pick(['p1', 'p2', '\xff']),
      message: () => r.pick(['i1', 'i2', 'i3', 'i4', '']),
    };
  }

  /** @throws Error for a kind that is none */
  readonly draw = (kind: string): Word => {
    if (LETTERS.includes(kind)) return this.key(this.random.once(14) ? this.random.pick(LETTERS) : kind);
    const make = this.kinds[kind];
    if (make === undefined) throw new Error(`no kind <${kind}>`);
    return make();
  };

  hostile(): Word {
    const { random } = this;
    if (random.once(12)) return random.bytes(random.pick([1, 40, 300]));
    const word = random.pick(HOSTILE);
    return !this.supplies.bounded && Number(word) > 65536 ? '-1' : word;
  }

  private key(letter: string): Word {
    const { random } = this;
    if (random.once(60)) return random.pick(['', '\0\xff', `${letter}{t}\r\n`, 'k'.repeat(300)]);
    return `${letter}${random.below(3)}`;
  }

  private text(): Word {
    const { random } = this;
    if (random.once(3)) return String(random.between(-300, 300));
    if (random.once(8)) return random.pick([...EDGES, ...NO_NUMBERS, ...FLOATS, ...STRANGE]);
    if (random.once(40)) return random.bytes(random.pick([63, 64, 65, 127, 128, 300, 3000, 9000, 20000]));
    if (random.once(20)) return 'same '.repeat(random.between(4, 90));
    return random.pick(['a', 'b', 'c', `v${random.below(30)}`, random.bytes(random.below(20))]);
  }

  private member(): Word {
    const { random } = this;
    if (random.once(50)) return random.bytes(random.pick([0, 63, 64, 65, 127, 128, 400]));
    if (random.once(30)) return random.pick([...EDGES, ...NO_NUMBERS, ...STRANGE]);
    return random.pick([
      `m${random.below(12)}`,
      `m${random.below(300)}`,
      String(random.below(600)),
      `member:${random.below(40)}`,
    ]);
  }

  private offset(): string {
    const { random, supplies } = this;
    if (random.once(20)) return random.pick(['-1', 'x', '', '01', '-9223372036854775808']);
    if (supplies.bounded && random.once(40)) return random.pick(EDGES);
    return String(random.below(random.pick([8, 64, 700, 20000])));
  }

  private bitType(): string {
    const { random } = this;
    if (random.once(12)) return random.pick(['i0', 'u', 'x8', 'i65', 'I8', 'u08', 'u64', 'u0', '']);
    return `${random.pick(['i', 'u'])}${random.pick([1, 2, 5, 8, 13, 31, 32, 33, 52, 53, 54, 63])}`;
  }

  private hostileTime(): string {
    const { random } = this;
    return random.pick([
      ...EDGES,
      ...NO_NUMBERS,
      '0',
      '-1',
      '9223372036854775',
      '9223370000000000',
      '-99999999999',
    ]);
  }

  private payload(from: readonly Buffer[]): Word {
    const { random } = this;
    if (from.length === 0) return random.bytes(random.below(40));
    const bytes = Buffer.from(random.pick(from));
    if (random.once(8)) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    return random.once(40) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
  }

  private library(): string {
    const { random } = this;
    const name = `lib${random.below(3)}`;
    // A library that does not load is in no log: nobody runs one to find out.
    if (this.supplies.bounded && random.once(12))
      return random.pick(['', '#!lua', '#!js name=x\n', `#!lua name=${name}\nerror('x')`, 'return 1']);
    const own = `function(keys, args) redis.call('INCRBY', keys[1], ${random.between(1, 9)}) return redis.call('RPUSH', keys[2], args[1]) end`;
    return `#!lua name=${name}\nredis.register_function('${name}_f', ${own})`;
  }
}
