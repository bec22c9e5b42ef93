import type { ErrorDetail } from '../errors.js';
import type { FindingCode } from '../model/finding.js';

/**
 * `[start, end)` of an input in which no whole record could be found. Offsets are absolute. `code`, `offset` and
 * `detail` say what was noticed first; `offset` lies in the range or, for a length that swallowed what follows, behind it.
 */
export interface DamagedRange {
  readonly start: number;
  readonly end: number;
  readonly code: FindingCode;
  readonly offset: number;
  readonly detail: ErrorDetail;
  /** The structures around `offset`, outermost first. */
  readonly trail: readonly string[];
  /** The key whose record this is, one character per byte, where it could be read. */
  readonly key?: string;
  readonly database?: number;
}

/**
 * Why whole records are not believed. `inside-value`: they may be bytes of a value that holds records. `repeated`: they
 * repeat, byte for byte, what stands before the damage they follow, as a block written twice does. `after-damage`: they
 * stand at the edge of a damage, and nothing but their form speaks for them.
 */
export type DoubtReason = 'inside-value' | 'repeated' | 'after-damage';

/** Whole records at `[start, end)` that may not be records of this file: left out unless asked for. */
export interface DoubtfulRange {
  readonly start: number;
  readonly end: number;
  readonly records: number;
  readonly why: DoubtReason;
}
