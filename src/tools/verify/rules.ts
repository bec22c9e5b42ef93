import { FINDINGS } from '../../model/finding.js';
import type { CheckReport } from '../check.js';
import { releaseOf, type Server } from '../family.js';
import type { PrefixCount } from './prefixes.js';
import type { RequiredKeys } from './profile.js';

/** What a backup is held to. Null: not asked for. */
export interface VerifyRules {
  /** Milliseconds since the backup was made. */
  readonly maxAgeMs: number | null;
  /** 0: an empty dataset will do. */
  readonly minKeys: number;
  readonly minBytes: number | null;
  /** By which share of the last good run keys, and bytes, may have become fewer; 0.2 is a fifth. */
  readonly maxShrink: number | null;
  /** By which share they may have become more. */
  readonly maxGrowth: number | null;
  /** By which share the keys of one prefix may have become fewer. */
  readonly maxPrefixShrink: number | null;
  /** The server that wrote it: product, and as much of its version as is given ('' for any). */
  readonly server: Server | null;
  /** Of the RDB format. */
  readonly rdbVersion: number | null;
  /** The share of all keys that may be past their TTL. */
  readonly maxExpired: number | null;
  /** The longest TTL that is plausible, in milliseconds from now. */
  readonly maxTtlMs: number | null;
  readonly required: readonly RequiredKeys[];
  /** Take warnings of the check for errors. */
  readonly strict: boolean;
}

/** Nothing but: it can be read, is intact, and is not empty. */
export const PLAIN_RULES: VerifyRules = {
  maxAgeMs: null,
  minKeys: 1,
  minBytes: null,
  maxShrink: null,
  maxGrowth: null,
  maxPrefixShrink: null,
  server: null,
  rdbVersion: null,
  maxExpired: null,
  maxTtlMs: null,
  required: [],
  strict: false,
};

export type RuleName =
  | 'readable'
  | 'intact'
  | 'age'
  | 'min-keys'
  | 'min-bytes'
  | 'shrink-keys'
  | 'shrink-bytes'
  | 'growth-keys'
  | 'growth-bytes'
  | 'shrink-prefix'
  | 'server'
  | 'rdb-version'
  | 'expired'
  | 'ttl'
  | 'require'
  | 'drill'
  | 'against'
  | 'retention'
  | 'in-time';

/** One rule and what came of it. */
export interface RuleResult {
  readonly name: RuleName;
  readonly ok: boolean;
  /** Null when it could not be found out. Ages and spans in seconds, shares from 0 to 1. */
  readonly value: number | string | null;
  readonly limit: number | string | null;
  /** What of many it is about: a pattern, a prefix (one character per byte); '' for a rule there is one of. */
  readonly of: string;
  /** More for whoever words it. */
  readonly detail: Readonly<Record<string, number | string>>;
}

/** How the time of a backup is known. */
export type SavedBy = 'ctime' | 'annotation' | 'mtime' | 'name';

/** What is known of a dataset once it was read. */
export interface DatasetFacts {
  readonly bytes: number;
  /** Null: it is a log, and was not executed. */
  readonly keys: number | null;
  readonly commands: number;
  readonly withExpiry: number | null;
  readonly expired: number | null;
  readonly beyondTtl: number | null;
  /** As many as matched each of `required`; null as for `keys`. */
  readonly found: readonly number[] | null;
  readonly savedAtMs: number | null;
  readonly savedBy: SavedBy | null;
  readonly server: Server | null;
  readonly dialect: string | null;
  readonly rdbVersion: number | null;
  /** The most frequent prefixes; null as for `keys`. */
  readonly prefixes: readonly PrefixCount[] | null;
}

const rule = (
  name: RuleName,
  ok: boolean,
  value: RuleResult['value'],
  limit: RuleResult['limit'],
  detail: RuleResult['detail'] = {},
  of = '',
): RuleResult => ({ name, ok, value, limit, of, detail });

/** A backup made later than this after now has a wrong clock behind it. */
const FUTURE_MS = 5 * 60_000;

/** Whether the check found nothing that counts. */
export function judgeCheck({ files }: CheckReport, strict: boolean): RuleResult {
  const findings = files.flatMap((file) => file.findings);
  const isError = ({ code }: (typeof findings)[number]): boolean => strict || FINDINGS[code] === 'error';
  const errors = findings.filter(isError);
  const detail = { warnings: findings.length - errors.length, first: errors[0]?.code ?? '' };
  return rule('intact', errors.length === 0, errors.length, 0, detail);
}

/** Everything that can be judged by the dataset alone. */
export function judgeFacts(facts: DatasetFacts, rules: VerifyRules, nowMs: number): RuleResult[] {
  return [
    ...judgeAge(facts, rules, nowMs),
    ...judgeSize(facts, rules),
    ...judgeOrigin(facts, rules),
    ...judgeTtls(facts, rules),
    ...rules.required.map(({ pattern, least }, i) => {
      const found = facts.found?.[i] ?? null;
      return rule('require', found !== null && found >= least, found, least, {}, pattern);
    }),
  ];
}

function judgeAge(
  { savedAtMs, savedBy }: DatasetFacts,
  { maxAgeMs }: VerifyRules,
  nowMs: number,
): RuleResult[] {
  if (maxAgeMs === null) return [];
  const limit = maxAgeMs / 1000;
  if (savedAtMs === null) return [rule('age', false, null, limit)];
  const ageMs = nowMs - savedAtMs;
  const detail = { savedAtMs, savedBy: savedBy ?? '' };
  return [rule('age', ageMs <= maxAgeMs && ageMs >= -FUTURE_MS, Math.round(ageMs / 1000), limit, detail)];
}

function judgeSize({ keys, bytes }: DatasetFacts, { minKeys, minBytes }: VerifyRules): RuleResult[] {
  const list: RuleResult[] = [];
  // Asked for or not, an empty backup is told; a log that was not executed only when more was asked for.
  if (minKeys > 1 || (minKeys === 1 && keys !== null)) {
    list.push(rule('min-keys', keys !== null && keys >= minKeys, keys, minKeys));
  }
  if (minBytes !== null) list.push(rule('min-bytes', bytes >= minBytes, bytes, minBytes));
  return list;
}

function judgeOrigin(facts: DatasetFacts, { server, rdbVersion }: VerifyRules): RuleResult[] {
  const list: RuleResult[] = [];
  if (server !== null) {
    const limit = server.version === '' ? server.product : `${server.product}-${server.version}`;
    const wrote = facts.server ?? (facts.dialect === null ? null : { product: facts.dialect, version: '' });
    const value =
      wrote === null ? null : wrote.version === '' ? wrote.product : `${wrote.product}-${wrote.version}`;
    list.push(rule('server', wrote !== null && isServer(wrote, server), value, limit));
  }
  if (rdbVersion !== null) {
    list.push(rule('rdb-version', facts.rdbVersion === rdbVersion, facts.rdbVersion, rdbVersion));
  }
  return list;
}

/** `7` fits 7.0.15 and 7.4.1, `7.0` the first of them; candidates count as their release. */
function isServer(wrote: Server, wanted: Server): boolean {
  if (wrote.product !== wanted.product) return false;
  if (wanted.version === '') return true;
  const parts = wanted.version.split('.');
  if (parts.length > 2) return wrote.version === wanted.version;
  const release = releaseOf(wrote);
  return parts.length === 1 ? Math.floor(release / 100) === Number(parts[0]) : release === releaseOf(wanted);
}

function judgeTtls(facts: DatasetFacts, { maxExpired, maxTtlMs }: VerifyRules): RuleResult[] {
  const { keys, expired, beyondTtl } = facts;
  const list: RuleResult[] = [];
  if (maxExpired !== null) {
    const share = keys === null || expired === null ? null : keys === 0 ? 0 : expired / keys;
    list.push(
      rule('expired', share !== null && share <= maxExpired, share, maxExpired, { expired: expired ?? 0 }),
    );
  }
  if (maxTtlMs !== null) {
    list.push(rule('ttl', beyondTtl === 0, beyondTtl, 0, { longestSeconds: maxTtlMs / 1000 }));
  }
  return list;
}
