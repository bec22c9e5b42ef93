import type { Random } from '../support/random.js';
import type { Grammar, Target } from './target.js';

/** Makes inputs of inputs: by bytes, by the tokens of the format, and by moving its parts about. */
export class Mutator {
  private readonly max: number;
  private readonly mode: number;
  private readonly split = new WeakMap<Buffer, readonly Buffer[] | null>();

  constructor(
    private readonly target: Target,
    private readonly random: Random,
  ) {
    this.max = target.bytesMax ?? 4096;
    this.mode = target.modeBytes ?? 0;
  }

  /** A changed copy; `other` lends parts. */
  mutate(input: Buffer, other: Buffer): Buffer {
    const { random, target, mode } = this;
    const head = Buffer.from(input.subarray(0, mode));
    if (mode > 0 && random.once(4)) head[random.below(mode)] = random.word();
    let body: Buffer = input.subarray(mode);
    const { grammar } = target;
    if (grammar !== undefined && !random.once(3)) body = this.byParts(grammar, input, other) ?? body;
    if (body === input.subarray(mode) || random.once(2)) {
      const times = 1 << random.below(4);
      for (let i = 0; i < times; i++) body = changeBytes(body, other.subarray(mode), target.tokens, random);
    }
    if (body.length > this.max) body = body.subarray(0, this.max);
    if (target.repair !== undefined && !random.once(4)) body = target.repair(Buffer.from(body));
    return Buffer.concat([head, body]);
  }

  private partsOf(grammar: Grammar, input: Buffer): readonly Buffer[] | null {
    let parts = this.split.get(input);
    if (parts === undefined) {
      parts = grammar.split(input.subarray(this.mode));
      this.split.set(input, parts);
    }
    return parts;
  }

  private byParts(grammar: Grammar, input: Buffer, other: Buffer): Buffer | null {
    const { random } = this;
    const own = this.partsOf(grammar, input);
    if (own === null || own.length === 0) return null;
    const lent = this.partsOf(grammar, other);
    const parts = [...own];
    const times = 1 + random.below(4);
    for (let i = 0; i < times && parts.length > 0; i++) this.changeParts(grammar, parts, lent ?? own);
    return grammar.join(parts);
  }

  private changeParts(grammar: Grammar, parts: Buffer[], lent: readonly Buffer[]): void {
    const { random, target } = this;
    const at = random.below(parts.length);
    switch (random.below(8)) {
      case 0:
        parts.splice(at, 1);
        break;
      case 1:
        parts.splice(at, 0, parts[random.below(parts.length)]!);
        break;
      case 2:
        parts.splice(at, 0, lent[random.below(lent.length)] ?? parts[at]!);
        break;
      case 3:
        parts[at] = lent[random.below(lent.length)] ?? parts[at]!;
        break;
      case 4: {
        const to = random.below(parts.length);
        [parts[at], parts[to]] = [parts[to]!, parts[at]!];
        break;
      }
      default:
        parts[at] =
          grammar.change === undefined
            ? changeBytes(parts[at]!, lent[random.below(lent.length)] ?? parts[at]!, target.tokens, random)
            : grammar.change(parts[at]!, random, target.tokens);
    }
  }
}

/** Bytes with one place changed, in one of many ways. The input stays as it is. */
export function changeBytes(bytes: Buffer, other: Buffer, tokens: readonly Buffer[], random: Random): Buffer {
  const { length } = bytes;
  if (length === 0)
    return random.once(2) || tokens.length === 0 ? random.bytes(1 + random.below(8)) : random.pick(tokens);
  const at = random.below(length);
  switch (random.below(14)) {
    case 0:
      return poked(bytes, at, bytes[at]! ^ (1 << random.below(8)));
    case 1:
      return poked(bytes, at, random.pick(BYTES));
    case 2:
      return poked(bytes, at, random.word());
    case 3:
      return poked(bytes, at, bytes[at]! + random.between(-16, 16));
    case 4:
      return written(bytes, at, integer(random));
    case 5: {
      const span = spanIn(length, at, random);
      return spliced(bytes, at, at + span, EMPTY);
    }
    case 6: {
      const span = spanIn(length, at, random);
      return spliced(bytes, at, at, bytes.subarray(at, at + span));
    }
    case 7:
      return spliced(bytes, at, at, random.bytes(1 + random.below(9)));
    case 8:
      return tokens.length === 0 ? bytes : spliced(bytes, at, at, random.pick(tokens));
    case 9:
      return tokens.length === 0 ? bytes : written(bytes, at, random.pick(tokens));
    case 10: {
      if (other.length === 0) return bytes;
      const from = random.below(other.length);
      const part = other.subarray(from, from + spanIn(other.length, from, random));
      return random.once(2) ? spliced(bytes, at, at, part) : written(bytes, at, part);
    }
    case 11: {
      const to = random.below(length);
      return written(bytes, to, Buffer.from(bytes.subarray(at, at + spanIn(length, at, random))));
    }
    case 12:
      return digits(bytes, at, random) ?? poked(bytes, at, random.word());
    default:
      return random.once(3) ? bytes.subarray(0, at) : written(bytes, at, integer(random));
  }
}

const EMPTY = Buffer.alloc(0);
const BYTES = [
  0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc1, 0xc2, 0xc3, 0xf0, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff,
];
const NUMBERS = [
  0n,
  1n,
  2n,
  63n,
  64n,
  127n,
  128n,
  254n,
  255n,
  256n,
  4095n,
  16383n,
  16384n,
  32767n,
  65535n,
  65536n,
  0xffffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x1fffffffffffffn,
  0x20000000000000n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
] as const;

const spanIn = (length: number, at: number, random: Random): number =>
  1 + random.below(random.once(3) ? length - at : Math.min(16, length - at));

function poked(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

/** Over what stands there, past its end too. */
function written(bytes: Buffer, at: number, part: Buffer): Buffer {
  const end = Math.max(bytes.length, at + part.length);
  const copy = Buffer.alloc(end);
  bytes.copy(copy);
  part.copy(copy, at);
  return copy;
}

export function spliced(bytes: Buffer, from: number, to: number, part: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), part, bytes.subarray(to)]);
}

/** A number near a boundary, in 1 to 8 bytes of either order, or as an RDB writes lengths. */
function integer(random: Random): Buffer {
  const number = BigInt.asUintN(64, random.pick(NUMBERS) + BigInt(random.between(-1, 1)));
  const form = random.below(10);
  const eight = Buffer.alloc(8);
  eight.writeBigUInt64LE(number);
  if (form < 4) return eight.subarray(0, 1 << form);
  const turned = Buffer.from(eight).reverse();
  if (form < 7) return turned.subarray(8 - (2 << (form - 4)));
  if (form === 7) return Buffer.concat([Buffer.of(0x80), turned.subarray(4)]);
  if (form === 8) return Buffer.concat([Buffer.of(0x81), turned]);
  return Buffer.of(0x40 | (Number(number >> 8n) & 0x3f), Number(number & 255n));
}

/** Another number where decimal digits stand at or behind a place; null where none do. */
function digits(bytes: Buffer, at: number, random: Random): Buffer | null {
  const isDigit = (i: number): boolean => bytes[i]! >= 48 && bytes[i]! <= 57;
  let start = at;
  while (start < bytes.length && !isDigit(start)) start++;
  if (start === bytes.length) return null;
  let end = start;
  while (end < bytes.length && isDigit(end)) end++;
  return spliced(bytes, start, end, Buffer.from(decimal(random)));
}

/** A number near a boundary, as text; at times no number. */
export function decimal(random: Random): string {
  if (random.once(2)) return String(random.between(-3, 20));
  const number = random.pick(NUMBERS) + BigInt(random.between(-1, 1));
  const text = random.once(3) ? `-${number}` : String(number);
  switch (random.below(12)) {
    case 0:
      return `${text}.5`;
    case 1:
      return `0${text}`;
    case 2:
      return random.pick([
        'inf',
        '-inf',
        'nan',
        '+inf',
        '1e308',
        '1e-320',
        '-0',
        '0x10',
        '',
        ' 1',
        '1 ',
        '1e5000',
      ]);
    default:
      return text;
  }
}
