import { UsageError } from '../errors.js';
import { serverNamed } from '../tools/family.js';
import type { RequiredKeys } from '../tools/verify/profile.js';
import { PLAIN_RULES, type VerifyRules } from '../tools/verify/rules.js';
import { parseCount, parseSize, parseSpanBack, parseWord } from './values.js';

/** What a value of a field is. */
export type FieldKind = 'span' | 'share' | 'count' | 'size' | 'text' | 'words' | 'switch';

/** A rule as the command line and the configuration know it. */
export interface RuleField {
  /** In the configuration. */
  readonly name: RuleFieldName;
  /** On the command line. */
  readonly option: string;
  readonly kind: FieldKind;
  /** What stands for the value in the help. */
  readonly placeholder: string;
  readonly says: string;
  /** The only values, where these are words. */
  readonly words?: readonly string[];
}

export type RuleFieldName =
  | 'maxAge'
  | 'minKeys'
  | 'minBytes'
  | 'maxShrink'
  | 'maxGrowth'
  | 'maxPrefixShrink'
  | 'prefixSeparator'
  | 'expect'
  | 'expectRdb'
  | 'maxExpired'
  | 'maxTtl'
  | 'require'
  | 'drill'
  | 'server'
  | 'against'
  | 'sample'
  | 'maxDrift'
  | 'backups'
  | 'keep'
  | 'prefer';

/** Every rule, in the order of the help. */
export const RULE_FIELDS: readonly RuleField[] = [
  field('maxAge', 'span', '<span>', 'the oldest it may be: 26h, 1d12h; by ctime, annotation or mtime'),
  field('minKeys', 'count', '<n>', 'the fewest keys (default: 1; 0: an empty dataset will do)'),
  field('minBytes', 'size', '<size>', 'the fewest bytes, unpacked: 10MB'),
  field(
    'maxShrink',
    'share',
    '<share>',
    'how much less keys and bytes may be than in the last good run: 20%',
  ),
  field('maxGrowth', 'share', '<share>', 'how much more they may be'),
  field('maxPrefixShrink', 'share', '<share>', 'how much less the keys of any prefix may be'),
  field('prefixSeparator', 'text', '<character>', 'what stands behind a prefix (default: a colon)'),
  field('expect', 'text', '<server>', 'who must have written it: redis, valkey-8, redis-7.2'),
  field('expectRdb', 'count', '<n>', 'the version of the RDB format it must have'),
  field('maxExpired', 'share', '<share>', 'the share of keys that may be past their TTL: 5%'),
  field('maxTtl', 'span', '<span>', 'the longest TTL that is plausible: 400d'),
  field(
    'require',
    'words',
    '<glob:min>',
    'keys that must be there, and how many: user:*:1000 (again for more)',
  ),
  field('drill', 'text', '<engine>', 'restore it: embedded, or into a server of its own', [
    'embedded',
    'server',
  ]),
  field(
    'server',
    'text',
    '<path>',
    'program of that server (default: redis-server or valkey-server on the PATH)',
  ),
  field('against', 'text', '<address>', 'compare with a live server: redis://host:6379'),
  field('sample', 'count', '<n>', 'compare so many keys, not all'),
  field(
    'maxDrift',
    'share',
    '<share>',
    'the share of keys that may differ from the live server (default: 0%)',
  ),
  field(
    'backups',
    'switch',
    '',
    'the source is a directory of backups: the newest is verified, and those of --keep',
  ),
  field('keep', 'text', '<rules>', 'how many must be there, without gaps: daily:7,weekly:4,monthly:6'),
  field('prefer', 'text', '<form>', 'the dataset of a directory that holds both', ['rdb', 'aof']),
];

function field(
  name: RuleFieldName,
  kind: FieldKind,
  placeholder: string,
  says: string,
  words?: readonly string[],
): RuleField {
  const option = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return { name, option, kind, placeholder, says, ...(words === undefined ? {} : { words }) };
}

/** Values of rules as they were given: text, a number where a configuration has one, a list, or true. */
export type RuleValues = Readonly<
  Partial<Record<RuleFieldName, string | number | readonly string[] | boolean>>
>;

/** How messages name a field: its option, or its place in the configuration. */
export type Naming = (name: RuleFieldName) => string;

export const BY_OPTION: Naming = (name) => RULE_FIELDS.find((each) => each.name === name)!.option;

/** The rules that values come to. @throws UsageError that names the field */
export function rulesOf(
  values: RuleValues,
  naming: Naming,
  remembers: boolean,
  strict: boolean,
): VerifyRules {
  const { minKeys, expect, expectRdb } = values;
  const span = (name: RuleFieldName) => parsedWith(values[name], (text) => parseSpan(text, naming(name)));
  const share = (name: RuleFieldName) => parsedWith(values[name], (text) => parseShare(text, naming(name)));
  const count = (name: RuleFieldName) => parsedWith(values[name], (text) => parseCount(text, naming(name)));
  return {
    maxAgeMs: span('maxAge'),
    minKeys: minKeys === undefined ? PLAIN_RULES.minKeys : count('minKeys')!,
    minBytes: parsedWith(values.minBytes, (text) => parseSize(text, naming('minBytes'))),
    // Whoever remembers wants to hear of a dataset that has halved.
    maxShrink: share('maxShrink') ?? (remembers ? SHRINK_DEFAULT : null),
    maxGrowth: share('maxGrowth'),
    maxPrefixShrink: share('maxPrefixShrink'),
    server: parsedWith(expect, (text) => parseServer(text, naming('expect'))),
    rdbVersion: expectRdb === undefined ? null : count('expectRdb'),
    maxExpired: share('maxExpired'),
    maxTtlMs: span('maxTtl'),
    required: parseRequired(values.require, naming('require')),
    strict,
  };
}

const SHRINK_DEFAULT = 0.5;

function parsedWith<T>(
  value: string | number | readonly string[] | boolean | undefined,
  parse: (text: string) => T,
): T | null {
  return value === undefined ? null : parse(String(value));
}

/** `26h`, `1d12h`, `2w`, or bare seconds, as milliseconds. */
export function parseSpan(text: string, option: string): number {
  const days = text.replace(/(\d+(?:\.\d+)?)([wy])/gi, (_, number: string, unit: string) => {
    return `${Number(number) * (unit.toLowerCase() === 'w' ? 7 : 365)}d`;
  });
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : parseSpanBack(`-${days}`);
  if (ms === null || !Number.isFinite(ms) || ms > SPAN_MAX_MS) {
    throw new UsageError(`${option}: '${text}' is no length of time`, 'give 90m, 26h, 1d12h, 2w, 1y');
  }
  return ms;
}

const SPAN_MAX_MS = 1e14;

/** `20%` as 0.2; a number from 0 to 1 as it is. */
export function parseShare(text: string, option: string): number {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const share = number === undefined ? Number.NaN : Number(number) / (percent === '%' ? 100 : 1);
  if (Number.isFinite(share) && (percent === '%' || share <= 1)) return share;
  throw new UsageError(`${option}: '${text}' is no share`, 'give a percentage (20%) or a number from 0 to 1');
}

function parseServer(text: string, option: string): VerifyRules['server'] {
  const product = text.toLowerCase();
  if (/^(redis|valkey|keydb|dragonfly)$/.test(product)) return { product, version: '' };
  return serverNamed(text, option);
}

/** The number stands behind the last colon, since patterns are full of them. */
function parseRequired(values: RuleValues['require'], option: string): RequiredKeys[] {
  const list =
    values === undefined ? [] : Array.isArray(values) ? (values as readonly string[]) : [String(values)];
  const seen = new Set<string>();
  return list.map((text) => {
    const match = /^(.+):(\d{1,15})$/s.exec(text);
    if (match === null) {
      throw new UsageError(`${option}: '${text}' is no pattern and number`, "give 'user:*:1000'");
    }
    const pattern = Buffer.from(match[1]!, 'utf8').latin1Slice();
    if (seen.has(pattern))
      throw new UsageError(`${option}: ${match[1]} stands twice`, 'give each pattern once');
    seen.add(pattern);
    return { pattern, least: Number(match[2]) };
  });
}

/** A word of a closed list, or null when there is none. */
export function wordOf<const T extends string>(
  value: RuleValues[RuleFieldName],
  option: string,
  words: readonly T[],
): T | null {
  return parsedWith(value, (text) => parseWord(text, option, words));
}
