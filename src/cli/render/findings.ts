import { FINDINGS, type Finding, type Severity } from '../../model/finding.js';
import { printable, quotedBytes } from './escape.js';
import { type Json, jsonBytes } from './json.js';
import { count, offset } from './numbers.js';
import type { Style } from './style.js';
import { WORDS } from './words.js';

/** Hides bytes of the dataset, one character per byte; null: show them. */
export type Conceal = ((latin1: string) => string) | null;

/** Details that hold bytes of the file rather than words of ours. */
const CONTENT = new Set(['value', 'argument', 'line', 'key', 'field', 'member', 'annotation']);

/** The severity a finding has with or without --strict. */
export function severityOf(finding: Finding, strict: boolean): Severity {
  return strict ? 'error' : FINDINGS[finding.code];
}

/** What is wrong, in one sentence: what was expected, then what stood there. */
export function messageOf(finding: Finding, conceal: Conceal): string {
  const { says } = WORDS[finding.code];
  const facts = Object.entries(finding.detail).map(([name, value]) => fact(name, value, conceal));
  const { trail } = finding.where;
  const inside = trail.length > 0 ? ` (in ${trail.map(printable).join(' > ')})` : '';
  return `${says}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}${inside}`;
}

/** `database 0`, `expected bytes 27`; texts of ours stand as they are, bytes of the file quoted. */
function fact(name: string, value: string | number, conceal: Conceal): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (typeof value === 'number') return `${words} ${Number.isInteger(value) ? count(value) : value}`;
  if (conceal !== null && CONTENT.has(name)) return `${words} ${conceal(value)}`;
  return `${words} ${quotedBytes(value)}`;
}

/** A finding as people read it: place and code, what is wrong, what to try next. */
export function findingText(finding: Finding, style: Style, conceal: Conceal, strict = false): string {
  const { where } = finding;
  const severity = severityOf(finding, strict);
  const paint = severity === 'error' ? style.red : style.yellow;
  const place = where.offset < 0 ? '' : ` at offset ${offset(where.offset)}`;
  const key =
    where.key === undefined
      ? ''
      : `\n  key: ${conceal?.(where.key) ?? quotedBytes(where.key)}, database ${where.database ?? 0}`;
  return [
    `${style.bold(printable(where.file))}: ${paint(severity)} ${finding.code}${place}${key}`,
    `  ${messageOf(finding, conceal)}`,
    `  try: ${WORDS[finding.code].hint}`,
  ].join('\n');
}

/** A finding as `problems[]` of the JSON report holds it. */
export function problemJson(
  finding: Finding,
  conceal: Conceal,
  strict = false,
): Readonly<Record<string, Json>> {
  const { where } = finding;
  const line = finding.detail['lineNumber'];
  return {
    code: finding.code,
    severity: severityOf(finding, strict),
    offset: where.offset < 0 ? null : where.offset,
    line: typeof line === 'number' ? line : null,
    message: messageOf(finding, conceal),
    hint: WORDS[finding.code].hint,
    ...(where.key === undefined
      ? {}
      : { db: where.database ?? 0, key: conceal?.(where.key) ?? jsonBytes(where.key) }),
  };
}
