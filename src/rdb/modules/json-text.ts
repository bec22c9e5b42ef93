import { type ModuleFields, ModuleTooLarge } from './fields.js';

/** Containers inside each other; RedisJSON itself stops at a few hundred. */
const DEPTH_MAX = 10_000;
/** Pieces are joined when they are this many. */
const PIECES_MAX = 4096;
/** Digits that tell all floats of 32 bits apart. */
const ROUNDED_DIGITS_MAX = 9;

/** Puts a document's text together from its nodes as they come. Containers are counted, not recursed into. */
export class JsonText {
  /** Of each open container: what is still to come in it, names and values apart, negative in objects. */
  private readonly left: number[] = [];
  private readonly isObject: boolean[] = [];
  private done = '';
  private pieces: string[] = [];
  private length = 0;

  constructor(private readonly fields: Pick<ModuleFields, 'limits' | 'take'>) {}

  /** Whether a value is complete: nothing may follow. */
  get complete(): boolean {
    return this.left.length === 0 && this.length > 0;
  }

  /** Whether the name of a member comes next. */
  get wantsName(): boolean {
    const depth = this.left.length;
    return depth > 0 && this.isObject[depth - 1]! && this.left[depth - 1]! % 2 === 0;
  }

  /** A number, a string, a literal: its JSON. */
  scalar(text: string): void {
    this.fields.take(1);
    this.write(text);
    this.close();
  }

  string(text: string): void {
    this.scalar(JSON.stringify(text));
  }

  name(text: string): void {
    this.write(`${JSON.stringify(text)}:`);
    this.left[this.left.length - 1]!--;
  }

  /** Begins a container of `count` values or members. */
  open(isObject: boolean, count: number): void {
    this.fields.take(1);
    if (this.left.length >= DEPTH_MAX) throw new ModuleTooLarge();
    this.write(isObject ? '{' : '[');
    this.isObject.push(isObject);
    this.left.push(isObject ? 2 * count : count);
    this.closeEmpty();
  }

  text(): string {
    this.join();
    return this.done;
  }

  /** A value ended: so may have the containers around it. */
  private close(): void {
    if (this.left.length === 0) return;
    if (--this.left[this.left.length - 1]! > 0) this.write(',');
    else this.closeEmpty();
  }

  private closeEmpty(): void {
    while (this.left.length > 0 && this.left.at(-1) === 0) {
      this.left.pop();
      this.write(this.isObject.pop() ? '}' : ']');
      if (this.left.length > 0 && --this.left[this.left.length - 1]! > 0) {
        this.write(',');
        return;
      }
    }
  }

  private write(piece: string): void {
    this.length += piece.length;
    if (this.length > this.fields.limits.bytesMax) throw new ModuleTooLarge();
    this.pieces.push(piece);
    if (this.pieces.length >= PIECES_MAX) this.join();
  }

  private join(): void {
    this.done += this.pieces.join('');
    this.pieces = [];
  }
}

/** Magnitudes between which a number is written without an exponent, as RedisJSON does it for its two widths. */
export interface PlainRange {
  readonly from: number;
  readonly below: number;
}

const PLAIN: PlainRange = { from: 1e-5, below: 1e16 };

/** A number with a fraction as JSON has it: shortest digits, and a fraction even where it is zero. */
export function doubleText(value: number, plain = PLAIN): string {
  if (!Number.isFinite(value)) return 'null';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  if (size < plain.from || size >= plain.below) return value.toExponential().replace('e+', 'e');
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** How a float of fewer bits is read and written. */
export interface Rounding {
  /** The nearest such float. */
  readonly round: (value: number) => number;
  /** Whole numbers below it in magnitude keep all their digits. */
  readonly wholeBelow: number;
  readonly plain?: PlainRange;
}

/** The same for a number that was rounded: as few digits as give it back. */
export function roundedText(value: number, { round, wholeBelow, plain }: Rounding): string {
  if (Number.isInteger(value) && Math.abs(value) < wholeBelow) return doubleText(value, plain);
  for (let digits = 1; digits <= ROUNDED_DIGITS_MAX; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (round(shorter) === value) return doubleText(shorter, plain);
  }
  return doubleText(value, plain);
}
