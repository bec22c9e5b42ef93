import {
  LAYOUT_BLOB,
  LAYOUT_NODES,
  LAYOUT_PAIRS,
  LAYOUT_SCORED,
  LAYOUT_STRINGS,
  LAYOUT_TEXT,
} from '../kernels/records.js';
import type { Dialect } from './dialect.js';
import { BYTES_8, END_LOOP, type Layout, LENGTH, LOOP, STRING } from './skim.js';
import { string } from './types/string.js';

/** What numbers above stand for depends on product and version. */
export const COMMON_TYPE_MAX = 21;

/** How the values of each type are laid out as the kernels see it; with `textsAlone` only those of texts. */
export function recordLayouts({ typeOf }: Dialect, textsAlone: boolean): Uint8Array {
  const layouts = new Uint8Array(256);
  for (let number = 0; number <= COMMON_TYPE_MAX; number++) {
    const codec = typeOf[number];
    if (codec === string) layouts[number] = LAYOUT_TEXT;
    else if (codec !== undefined && !textsAlone) layouts[number] = layoutOf(codec.layout);
  }
  return layouts;
}

function layoutOf(layout: Layout): number {
  const match = KNOWN.find(
    ([parts]) => parts.length === layout.length && parts.every((part, i) => part === layout[i]),
  );
  return match === undefined ? 0 : match[1];
}

const KNOWN: readonly (readonly [Layout, number])[] = [
  [[STRING], LAYOUT_BLOB],
  [[LOOP, STRING, END_LOOP], LAYOUT_STRINGS],
  [[LOOP, STRING, STRING, END_LOOP], LAYOUT_PAIRS],
  [[LOOP, STRING, BYTES_8, END_LOOP], LAYOUT_SCORED],
  [[LOOP, LENGTH, STRING, END_LOOP], LAYOUT_NODES],
];
