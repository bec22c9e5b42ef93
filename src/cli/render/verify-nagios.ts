import type { SourceVerdict } from '../../tools/verify/verdict.js';
import type { VerifyReport } from '../../tools/verify.js';
import { printable } from './escape.js';
import { count, size } from './numbers.js';
import { remarkText } from './verify.js';
import { ruleText, type Show } from './verify-words.js';

/** The four states of a monitoring plugin; the index is its exit code. */
export const PLUGIN_STATES = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;
export type PluginCode = 0 | 1 | 2 | 3;

/** Failed is critical; a run that could not say or keep something of itself unknown; flaws that no server minds a warning. */
export function pluginCode({ ok, failures, remarks, sources }: VerifyReport): PluginCode {
  if (!ok) return 2;
  if (failures.length > 0) return 3;
  const isFlawed = sources.some(({ warnings }) => warnings > 0);
  return isFlawed || remarks.some(({ kind }) => kind === 'state-unusable') ? 1 : 0;
}

/** The line of a monitoring plugin, performance data behind the bar, one more line for each rule that failed. */
export function pluginLines(report: VerifyReport, show: Show): string {
  const { sources, failures, remarks } = report;
  const code = pluginCode(report);
  const failed = sources.filter(({ ok }) => !ok);
  const told = code === 2 ? failed : sources;
  const said = told.map((verdict) => safe(sourceText(verdict, show)));
  for (const { path, message } of code === 3 ? failures : []) said.unshift(safe(`${path}: ${message}`));
  for (const remark of code === 1 ? remarks : []) said.unshift(safe(remarkText(remark)));
  const several =
    failed.length > 0 && sources.length > 1 ? `${failed.length} of ${sources.length} failed: ` : '';
  const data = sources.flatMap((verdict) => perfdata(verdict, sources.length > 1));
  const line = `REKINDLE ${PLUGIN_STATES[code]} - ${several}${said.join('; ')}`;
  return `${line}${data.length > 0 ? ` | ${data.join(' ')}` : ''}\n`;
}

/** The line for a run that came to no verdict. */
export function pluginUnknown(message: string): string {
  return `REKINDLE UNKNOWN - ${safe(message)}\n`;
}

function sourceText(verdict: SourceVerdict, show: Show): string {
  const { name, ok, rules, facts } = verdict;
  const failed = rules.filter((rule) => !rule.ok);
  if (!ok)
    return `${name}: ${failed.map((rule) => `${rule.name}: ${ruleText(rule, verdict, show)}`).join(', ')}`;
  const keys = facts?.keys === null || facts === null ? '' : `${count(facts.keys)} keys, `;
  return `${name}: ${keys}${size(facts?.bytes ?? 0)}`;
}

/** One line, and no bar, behind which performance data would begin. */
function safe(text: string): string {
  return printable(text.replace(/[\u0000-\u001f\u007f]+/g, ' ')).replaceAll('|', '/');
}

function perfdata(
  { name, facts, rules, durationMs, errors, atMs }: SourceVerdict,
  several: boolean,
): string[] {
  const limitOf = (rule: string): number | null => {
    const limit = rules.find((each) => each.name === rule)?.limit;
    return typeof limit === 'number' ? limit : null;
  };
  const least = (rule: string): string => (limitOf(rule) === null ? '' : `${limitOf(rule)}:`);
  const most = (rule: string): string => String(limitOf(rule) ?? '');
  const values: readonly (readonly [string, number | null | undefined, string, string])[] = [
    ['keys', facts?.keys, '', least('min-keys')],
    ['size', facts?.bytes, 'B', least('min-bytes')],
    ['age', ageOf(facts?.savedAtMs ?? null, atMs), 's', most('age')],
    ['errors', facts === null ? null : errors, '', '0'],
    ['duration', durationMs / 1000, 's', ''],
  ];
  return values.flatMap(([what, value, unit, critical]) => {
    if (value === null || value === undefined) return [];
    const data = `${label(several ? `${name} ${what}` : what)}=${value}${unit};;${critical};`;
    return [what === 'age' ? data : `${data}0`];
  });
}

const ageOf = (savedAtMs: number | null, nowMs: number): number | null =>
  savedAtMs === null ? null : Math.round((nowMs - savedAtMs) / 1000);

/** In single quotes when it needs them; neither `=` nor a quote may stand in one. */
function label(text: string): string {
  const plain = safe(text).replaceAll('=', '_').replaceAll("'", '_');
  return /^[\w./:-]+$/.test(plain) ? plain : `'${plain}'`;
}
