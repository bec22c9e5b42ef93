/**
 * A message as a server writes it, with a name where its format string has a conversion: `{#offset}` stands for a whole
 * number, `{file}` for any text.
 */
export interface Template {
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** How many of its characters are the server's own: among templates that match, the longest is meant. */
  readonly weight: number;
  readonly words: readonly string[];
}

/** Literal text (in lower case), then a conversion; the last piece may have none. */
interface Piece {
  readonly literal: string;
  readonly slot: string | null;
  readonly isNumber: boolean;
}

/** What stood where the conversions are, by name. */
export type Captures = Readonly<Record<string, string>>;

export function templateOf(text: string): Template {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(/\{(#?)(\w+)\}/g)) {
    pieces.push({
      literal: text.slice(from, match.index).toLowerCase(),
      slot: match[2]!,
      isNumber: match[1] === '#',
    });
    from = match.index + match[0].length;
  }
  if (from < text.length || pieces.length === 0) {
    pieces.push({ literal: text.slice(from).toLowerCase(), slot: null, isNumber: false });
  }
  const literal = text.replace(/\{#?\w+\}/g, ' ');
  return { text, pieces, weight: literal.replaceAll(' ', '').length, words: wordsOf(literal) };
}

/** The words of a text in lower case, as they are compared. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9_]+/g) ?? [];
}

/** Text as it is compared: each letter keeps its place. */
export function folded(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

const STARTS_MAX = 8;

/**
 * Looks for a message anywhere in a line; null when it is not there. `lower` is the same line, folded. Takes time that
 * grows with the length of the line, whatever stands in it.
 */
export function matchTemplate(template: Template, line: string, lower: string): Captures | null {
  const first = template.pieces[0]!.literal;
  let at = lower.indexOf(first);
  for (let starts = 0; at >= 0 && starts < STARTS_MAX; starts++) {
    if (!isWordBefore(lower, at)) {
      const captures = matchAt(template.pieces, line, lower, at);
      if (captures !== null) return captures;
    }
    at = lower.indexOf(first, at + 1);
  }
  return null;
}

function matchAt(pieces: readonly Piece[], line: string, lower: string, start: number): Captures | null {
  const captures: Record<string, string> = {};
  let at = start;
  for (const [i, { literal, slot, isNumber }] of pieces.entries()) {
    if (!lower.startsWith(literal, at)) return null;
    at += literal.length;
    if (slot === null) return isWordAt(lower, at) && /\w$/.test(literal) ? null : captures;
    const end = isNumber ? numberEnd(lower, at) : textEnd(lower, at, pieces[i + 1]?.literal ?? null);
    if (end < 0 || (isNumber && end === at)) return null;
    captures[slot] = line.slice(at, end).trim();
    at = end;
  }
  return captures;
}

/** Where a text ends: before what follows it, or at the end of the line. -1: what follows is not there. */
function textEnd(lower: string, at: number, next: string | null): number {
  return next === null ? lower.length : lower.indexOf(next, at);
}

function numberEnd(lower: string, at: number): number {
  let end = lower[at] === '-' ? at + 1 : at;
  while (end < lower.length && lower[end]! >= '0' && lower[end]! <= '9') end++;
  return end;
}

/** A literal that begins or ends in the middle of a word is not the server's. */
function isWordBefore(lower: string, at: number): boolean {
  return at > 0 && /^\w/.test(lower.slice(at, at + 1)) && /\w/.test(lower[at - 1]!);
}

function isWordAt(lower: string, at: number): boolean {
  return at < lower.length && /\w/.test(lower[at]!);
}
