import { basename } from 'node:path';
import { FINDINGS, type Finding, type Location, type Severity } from '../../model/finding.js';
import type { Session } from '../session.js';
import { printable, quotedBytes } from './escape.js';
import { factsOf } from './facts.js';
import { type Json, jsonBytes } from './json.js';
import { counted, offset } from './numbers.js';
import type { Style } from './style.js';
import { RESCUES, WORDS } from './words.js';

/** Hides bytes of the dataset, one character per byte; null: show them. */
export type Conceal = ((latin1: string) => string) | null;

/** The severity a finding has with or without --strict. */
export function severityOf(finding: Finding, strict: boolean): Severity {
  return strict ? 'error' : FINDINGS[finding.code];
}

/** What is wrong, in one sentence: what was expected, then what stood there. */
export function messageOf(finding: Finding, conceal: Conceal): string {
  const facts = factsOf(finding.detail, conceal);
  const { trail } = finding.where;
  const inside = trail.length > 0 ? ` (in ${trail.map(printable).join(' > ')})` : '';
  return `${WORDS[finding.code].says}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}${inside}`;
}

/**
 * The next thing to try; places in the file filled in, and `source`, a word of a shell, in commands to be copied: '' where it
 * is not known, or cannot be named again. `alone`: the command has come to an end with this, and tells nothing else.
 */
export function hintOf(finding: Finding, source: string, alone = false): string {
  const text = alone ? (aloneHint(finding) ?? hintText(finding)) : hintText(finding);
  return source === '' ? text : text.replaceAll('SOURCE', () => source);
}

function hintText({ code, where, detail }: Finding): string {
  const { hint, hintWithoutCut } = WORDS[code];
  const cut = detail['safeCut'];
  return typeof cut === 'number'
    ? hint.replace('{cut}', () => `${printable(basename(where.file))}:${cut}`)
    : (hintWithoutCut ?? hint);
}

function aloneHint({ code, where, detail }: Finding): string | null {
  const { hintAlone } = WORDS[code];
  if (hintAlone === undefined) return null;
  const packing = ARCHIVE_NAME.test(where.file) ? 'tar' : String(detail['packing']);
  return hintAlone.replace('{rescue}', () => RESCUES[packing] ?? '');
}

const ARCHIVE_NAME = /\.(tgz|tar(\.\w+)?)$/i;

/** How a finding is told, where that is not as the session has it. */
export interface FindingView {
  /** How bad it is here, when that is not what the table says. */
  readonly severity?: Severity;
  /** As for `hintOf`; missing: as the user named the source that its file is of. */
  readonly source?: string;
  readonly alone?: boolean;
}

export interface FindingPlace extends FindingView {
  /** Missing: that of standard output. */
  readonly style?: Style;
  /** The file that is being told of, and need not be named again; '' for none. */
  readonly within: string;
}

/** A finding as people read it: place and code, what is wrong, what to try next. */
export function findingText(finding: Finding, session: Session, how: FindingPlace): string {
  const { style = session.outStyle, within } = how;
  const { conceal, strict } = session.settings;
  const { where } = finding;
  const severity = how.severity ?? severityOf(finding, strict);
  const paint = severity === 'error' ? style.red : style.yellow;
  const place = where.offset < 0 ? '' : ` at offset ${offset(where.offset)}${rangeText(where)}`;
  const file = where.file === within ? '' : `${style.bold(printable(where.file))}: `;
  const lines = [
    `${file}${paint(severity)} ${finding.code}${place}`,
    `  ${messageOf(finding, conceal)}`,
    ...(finding.preview === undefined || conceal !== null
      ? []
      : [`  bytes: ${previewText(finding.preview)}`]),
    `  try: ${hintIn(finding, session, how)}`,
  ];
  if (where.key !== undefined) {
    const key = conceal?.(where.key) ?? quotedBytes(where.key);
    lines.splice(1, 0, `  key ${key} in database ${where.database ?? 0}`);
  }
  return lines.join('\n');
}

/** Where the range that is damaged begins and ends. */
function rangeText({ offset: noticed, start = noticed, length }: Location): string {
  if (length === undefined) return '';
  return `, from ${start} to ${start + length} (${counted(length, 'byte')})`;
}

function hintIn(finding: Finding, session: Session, { source, alone }: FindingView): string {
  return hintOf(finding, source ?? session.sources.of(finding.where.file), alone);
}

/** Bytes in hexadecimal and as text. */
function previewText(latin1: string): string {
  return `${hexOf(latin1)}  ${quotedBytes(latin1)}`;
}

const hexOf = (latin1: string): string =>
  Buffer.from(latin1, 'latin1')
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');

/** A finding as `problems[]` of the JSON report holds it. */
export function problemJson(
  finding: Finding,
  session: Session,
  how: FindingView = {},
): Readonly<Record<string, Json>> {
  const { conceal, strict } = session.settings;
  const { where, preview } = finding;
  const line = finding.detail['line'];
  const { length, start = where.offset } = where;
  return {
    code: finding.code,
    severity: how.severity ?? severityOf(finding, strict),
    offset: where.offset < 0 ? null : where.offset,
    line: typeof line === 'number' ? line : null,
    message: messageOf(finding, conceal),
    hint: hintIn(finding, session, how),
    ...(length === undefined ? {} : { start, length }),
    ...(preview === undefined || conceal !== null
      ? {}
      : { preview: { hex: hexOf(preview), text: quotedBytes(preview) } }),
    ...(where.key === undefined
      ? {}
      : { db: where.database ?? 0, key: conceal?.(where.key) ?? jsonBytes(where.key) }),
  };
}
