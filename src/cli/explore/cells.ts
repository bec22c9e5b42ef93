/** Looks of a piece of text. `mark` stands out without colour, too. */
export type Look = 'plain' | 'bold' | 'mark' | 'dim' | 'green' | 'red' | 'yellow';

export interface Span {
  readonly text: string;
  readonly look: Look;
}

/** One line of the screen. */
export type Line = readonly Span[];

export const line = (text: string, look: Look = 'plain'): Line => [{ text, look }];

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NONE = /\p{M}/u;

/** Columns that a character takes on a terminal. */
export function cellsOf(character: string): number {
  if (character <= '\u007f') return 1;
  if (NONE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Columns that a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

/** A text cut to so many columns, with `…` where something is left out. */
export function clip(text: string, columns: number): string {
  if (text.length <= columns && /^[ -~]*$/.test(text)) return text;
  if (widthOf(text) <= columns) return text;
  let width = 0;
  let clipped = '';
  for (const character of text) {
    const cells = cellsOf(character);
    if (width + cells > columns - 1) break;
    clipped += character;
    width += cells;
  }
  return columns > 0 ? `${clipped}…` : '';
}

/** A text of exactly so many columns. */
export function padded(text: string, columns: number): string {
  const clipped = clip(text, columns);
  return clipped + ' '.repeat(Math.max(0, columns - widthOf(clipped)));
}

const CODES: Readonly<Record<Look, string>> = {
  plain: '',
  bold: '1',
  mark: '7',
  dim: '2',
  green: '32',
  red: '31',
  yellow: '33',
};

/** A line as a terminal is told it, no wider than `columns`; a marked one fills them. */
export function paint(spans: Line, columns: number, colors: boolean): string {
  let left = columns;
  let painted = '';
  for (const { text, look } of spans) {
    if (left <= 0) break;
    const isLast = look === 'mark' && spans.length === 1;
    const clipped = isLast ? padded(text, left) : clip(text, left);
    left -= widthOf(clipped);
    const isColor = look === 'green' || look === 'red' || look === 'yellow';
    const code = isColor && !colors ? '' : CODES[look];
    painted += code === '' ? clipped : `\u001b[${code}m${clipped}\u001b[0m`;
  }
  return painted;
}
