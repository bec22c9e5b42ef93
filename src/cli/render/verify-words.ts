import type { RuleResult } from '../../tools/verify/rules.js';
import type { SourceVerdict } from '../../tools/verify/verdict.js';
import { printable } from './escape.js';
import { count, counted, duration, instant, size } from './numbers.js';

/** How bytes of a dataset are shown. */
export type Show = (latin1: string) => string;

/** What one rule came to, in one sentence: what was found, then what was asked for. */
export function ruleText(rule: RuleResult, verdict: SourceVerdict, show: Show): string {
  const { name } = rule;
  switch (name) {
    case 'readable':
      return printable(verdict.unreadable?.message ?? 'can be read');
    case 'intact':
      return intactText(rule);
    case 'age':
      return ageText(rule);
    case 'min-keys':
      return `${known(rule, (value) => counted(value, 'key'))}, at least ${count(number(rule.limit))}${executed(rule)}`;
    case 'min-bytes':
      return `${size(number(rule.value))}, at least ${size(number(rule.limit))}`;
    case 'shrink-keys':
    case 'shrink-bytes':
    case 'growth-keys':
    case 'growth-bytes':
      return changeText(rule);
    case 'shrink-prefix':
      return prefixText(rule, show);
    case 'server':
      return `written by ${printable(String(rule.value ?? 'a server that left no name'))}, wanted ${rule.limit}`;
    case 'rdb-version':
      return `RDB version ${rule.value ?? 'unknown'}, wanted ${rule.limit}`;
    case 'expired':
      return `${known(rule, percent)} of the keys are past their TTL, at most ${percent(number(rule.limit))}${executed(rule)}`;
    case 'ttl':
      return `${known(rule, (value) => counted(value, 'key'))} with a TTL of more than ${duration(number(rule.detail['longestSeconds']) * 1000)}${executed(rule)}`;
    case 'require':
      return `${known(rule, (value) => counted(value, 'key'))} like ${show(rule.of)}, at least ${count(number(rule.limit))}${executed(rule)}`;
    case 'drill':
      return drillText(rule, verdict);
    case 'against':
      return againstText(rule, verdict);
    case 'retention':
      return retentionText(rule);
    case 'in-time':
      return `not done within ${duration(number(rule.limit) * 1000)}`;
    default:
      return name satisfies never;
  }
}

const number = (value: number | string | null | undefined): number => Number(value ?? 0);

const known = ({ value }: RuleResult, text: (value: number) => string): string =>
  value === null ? 'an unknown number' : text(number(value));

/** Why a number is not known. */
const executed = ({ value }: RuleResult): string =>
  value === null ? ' (a log must be executed to tell: --drill embedded)' : '';

/** `12.3%`: a tenth is what tells 0 from little. */
export function percent(share: number): string {
  const text = (share * 100).toFixed(1);
  return `${text.endsWith('.0') ? text.slice(0, -2) : text}%`;
}

function intactText({ ok, value, detail }: RuleResult): string {
  const warnings = number(detail['warnings']);
  const also = warnings > 0 ? `, ${counted(warnings, 'warning')}` : '';
  return ok ? `no errors${also}` : `${counted(number(value), 'error')}, the first ${detail['first']}${also}`;
}

const TIMES: Readonly<Record<string, string>> = {
  ctime: 'the time in the file',
  annotation: 'its last annotation',
  mtime: "the file's own time",
  name: 'its name',
};

function ageText({ value, limit, detail }: RuleResult): string {
  const most = `at most ${duration(number(limit) * 1000)}`;
  if (value === null) return `its age is not known, ${most}`;
  const made = `${instant(number(detail['savedAtMs']))} by ${TIMES[String(detail['savedBy'])]}`;
  const age = number(value);
  if (age < 0) return `made ${duration(-age * 1000)} from now (${made}): is a clock wrong?`;
  const old = age < 60 ? 'less than a minute' : duration(age * 1000);
  return `${old} old (made ${made}), ${most}`;
}

function changeText({ name, value, limit, detail }: RuleResult): string {
  const [kind, what] = name.split('-') as [string, string];
  const show = (amount: number): string => (what === 'keys' ? counted(amount, 'key') : size(amount));
  const [before, after] = [number(detail['before']), number(detail['after'])];
  const word = kind === 'shrink' ? 'less' : 'more';
  return `${show(after)}, ${percent(number(value))} ${word} than the ${show(before)} of ${instant(number(detail['sinceMs']))}, at most ${percent(number(limit))}`;
}

function prefixText({ value, limit, of, detail }: RuleResult, show: Show): string {
  if (detail['sinceMs'] === undefined) return 'no prefix has enough keys to be compared';
  const others = number(detail['others']);
  const names = (JSON.parse(String(detail['otherNames'])) as string[]).map((name) => prefixName(name, show));
  const more = others > names.length ? ` and ${others - names.length} more` : '';
  const also = others === 0 ? '' : `; also ${names.join(', ')}${more}`;
  const [before, after] = [number(detail['before']), number(detail['after'])];
  return `${prefixName(of, show)}: ${counted(after, 'key')}, ${percent(number(value))} less than the ${count(before)} of ${instant(number(detail['sinceMs']))}, at most ${percent(number(limit))}${also}`;
}

const prefixName = (prefix: string, show: Show): string => (prefix === '' ? '(no prefix)' : show(prefix));

function drillText({ ok, of, detail }: RuleResult, { drill }: SourceVerdict): string {
  if (!ok) return `restoring it failed: ${printable(String(detail['why']))}`;
  const keys = counted(drill?.keys ?? 0, 'key');
  const where =
    of === 'server'
      ? `in ${drill?.server ?? 'a server'} and in the embedded engine`
      : 'in the embedded engine';
  return `${keys} restored ${where}, digest ${drill?.digest ?? ''}`;
}

function againstText({ value, limit, detail }: RuleResult, { against }: SourceVerdict): string {
  if (value === null || against === null) return `could not be compared: ${printable(String(detail['why']))}`;
  const { compared, missing, changed, added, server } = against;
  const more = added === null ? '' : `, ${count(added)} only there`;
  const differ = `${count(missing)} missing there, ${count(changed)} changed${more}`;
  return `${percent(number(value))} of ${counted(compared, 'key')} differ from ${printable(server)} (${differ}), at most ${percent(number(limit))}`;
}

function retentionText({ ok, value, limit, of, detail }: RuleResult): string {
  const text = `${of}: ${count(number(value))} of ${count(number(limit))} are there`;
  return ok ? text : `${text}, missing ${detail['gaps']}`;
}
