import { parseDouble } from '../../kernels/doubles.js';
import type { CommandSpans } from '../../resp/command.js';
import { compareBytes } from '../bytes.js';
import type { ZsetView } from '../zsets.js';

/** One end of a range of scores. */
export interface ScoreBound {
  readonly score: number;
  readonly excluded: boolean;
}

/** One end of a range of members. */
export interface MemberBound {
  /** '-' before all members, '+' behind all, '[' or '(' at one. */
  readonly kind: '-' | '+' | '[' | '(';
  readonly bytes: Buffer;
}

/** Argument i as `1.5`, `(1.5`, `-inf`; null when it is none. */
export function scoreBoundAt(command: CommandSpans, i: number): ScoreBound | null {
  const start = command.starts[i]!;
  const excluded = command.size(i) > 0 && command.bytes[start] === 40;
  const from = excluded ? start + 1 : start;
  let score = parseDouble(command.bytes, from, command.ends[i]!);
  if (Number.isNaN(score)) score = looseDouble(command.bytes.latin1Slice(from, command.ends[i]!));
  return Number.isNaN(score) ? null : { score, excluded };
}

/** Bounds are read more loosely than scores: nothing is 0, blanks may lead, and what is too large is infinite. */
function looseDouble(text: string): number {
  const [number = ''] = text.split('\0', 1);
  if (number === '') return 0;
  const match = /^[ \t\n\v\f\r]*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?)$/i.exec(number);
  return match === null ? Number.NaN : Number(match[1]!.replace(/inf.*/i, 'Infinity'));
}

/** Argument i as `-`, `+`, `[member` or `(member`; null when it is none. */
export function memberBoundAt(command: CommandSpans, i: number): MemberBound | null {
  const start = command.starts[i]!;
  const bytes = command.bytes.subarray(Math.min(start + 1, command.ends[i]!), command.ends[i]!);
  const kind = command.size(i) === 0 ? '' : String.fromCharCode(command.bytes[start]!);
  if (kind === '[' || kind === '(') return { kind, bytes };
  return (kind === '-' || kind === '+') && bytes.length === 0 ? { kind, bytes } : null;
}

/** Ranks `[from, to)` of the scores between two bounds; `to` may be below `from`. */
export function ranksByScore(view: ZsetView, min: ScoreBound, max: ScoreBound): [number, number] {
  const from = view.firstAbove(({ score }) => (min.excluded ? score > min.score : score >= min.score));
  const to = view.firstAbove(({ score }) => (max.excluded ? score >= max.score : score > max.score));
  return [from, to];
}

/** Ranks `[from, to)` of the members between two bounds; `to` may be below `from`. */
export function ranksByMember(view: ZsetView, min: MemberBound, max: MemberBound): [number, number] {
  return [firstMember(view, min, '('), firstMember(view, max, '[')];
}

/** The first rank behind a bound, and behind the member it names if the bound is of kind `passing`. */
function firstMember(view: ZsetView, bound: MemberBound, passing: '(' | '['): number {
  if (bound.kind === '-') return 0;
  if (bound.kind === '+') return view.size;
  const { bytes, kind } = bound;
  return view.firstAbove(({ member }) => {
    const order = compareBytes(member.bytes, member.start, member.end, bytes, 0, bytes.length);
    return kind === passing ? order > 0 : order >= 0;
  });
}
