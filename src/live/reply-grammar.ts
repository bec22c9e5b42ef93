export const CR = 13;
export const LF = 10;
export const PLUS = 43;
export const MINUS = 45;
export const COLON = 58;
export const DOLLAR = 36;
export const STAR = 42;

/** A status, an error or a number longer than this is not from a server. */
export const LINE_MAX = 64 * 1024;
/** Servers cap a text at 512 MB unless told otherwise, and never let it be longer than this. */
const TEXT_MAX = 0x7fff_ffff;

/** The number of a line: an integer as servers write it. @throws Error for anything else */
export function numberOf(text: string): number {
  if (!/^[+-]?\d{1,19}$/.test(text)) throw strange();
  return Number(text);
}

/** How many bytes of a text follow; negative: nothing is there. @throws Error as above */
export function lengthOf(text: string): number {
  const length = numberOf(text);
  if (length > TEXT_MAX) throw strange();
  return length;
}

/** What is said of whoever answers otherwise. */
export const strange = (): Error => new Error('it does not answer in the protocol of Redis');
