import type { PrefixCount } from './prefixes.js';
import type { DatasetFacts, RuleName, RuleResult, VerifyRules } from './rules.js';

/** What a good run found, which later ones are compared with. */
export interface Baseline {
  /** When that run was, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly bytes: number;
  /** Null when they were not known. */
  readonly keys: number | null;
  /** The most frequent prefixes; null when they were not known. */
  readonly prefixes: readonly PrefixCount[] | null;
}

/** Below this many keys a share says little: a prefix of three keys loses a third with one. */
const PREFIX_KEYS_MIN = 100;
/** Prefixes named when several have shrunk. */
const NAMED = 5;

/** How a dataset differs from what the last good run found; nothing to say without one. */
export function judgeChange(
  facts: DatasetFacts,
  keysOf: (prefix: string) => number,
  baseline: Baseline | null,
  rules: VerifyRules,
): RuleResult[] {
  if (baseline === null) return [];
  const { maxShrink, maxGrowth, maxPrefixShrink } = rules;
  const list: RuleResult[] = [];
  for (const what of ['keys', 'bytes'] as const) {
    const [before, after] = [baseline[what], facts[what]];
    if (before === null || after === null || before === 0) continue;
    const detail = { before, after, sinceMs: baseline.atMs };
    if (maxShrink !== null) {
      list.push(shareRule(`shrink-${what}`, Math.max(0, before - after) / before, maxShrink, detail));
    }
    if (maxGrowth !== null) {
      list.push(shareRule(`growth-${what}`, Math.max(0, after - before) / before, maxGrowth, detail));
    }
  }
  if (maxPrefixShrink !== null && baseline.prefixes !== null && facts.keys !== null) {
    list.push(judgePrefixes(baseline, keysOf, maxPrefixShrink));
  }
  return list;
}

function shareRule(
  name: RuleName,
  share: number,
  limit: number,
  detail: RuleResult['detail'],
  of = '',
): RuleResult {
  return { name, ok: share <= limit, value: share, limit, of, detail };
}

/** One rule for all prefixes: the one that shrank most, and the others by name. */
function judgePrefixes(
  { prefixes, atMs }: Baseline,
  keysOf: (prefix: string) => number,
  limit: number,
): RuleResult {
  const shrunk = (prefixes ?? [])
    .filter(({ keys }) => keys >= PREFIX_KEYS_MIN)
    .map(({ prefix, keys }) => ({ prefix, before: keys, after: keysOf(prefix) }))
    .map((each) => ({ ...each, share: Math.max(0, each.before - each.after) / each.before }))
    .sort((a, b) => b.share - a.share);
  const worst = shrunk[0];
  if (worst === undefined) return shareRule('shrink-prefix', 0, limit, {});
  const others = shrunk.filter(({ share }) => share > limit).slice(1);
  const detail = {
    before: worst.before,
    after: worst.after,
    sinceMs: atMs,
    others: others.length,
    otherNames: JSON.stringify(others.slice(0, NAMED).map(({ prefix }) => prefix)),
  };
  return shareRule('shrink-prefix', worst.share, limit, detail, worst.prefix);
}
