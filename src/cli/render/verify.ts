import { basename } from 'node:path';
import { FINDINGS } from '../../model/finding.js';
import type { SourceVerdict } from '../../tools/verify/verdict.js';
import type { VerifyRemark, VerifyReport } from '../../tools/verify.js';
import type { Session } from '../session.js';
import { sourceWord } from '../source-names.js';
import { printable } from './escape.js';
import { findingText } from './findings.js';
import { count, counted, duration, instant, size } from './numbers.js';
import { ruleText } from './verify-words.js';

/** Findings shown of one source: check shows them all. */
const FINDINGS_SHOWN = 5;

/** The verdicts as people read them: of good backups a line, of others what is wrong; with --quiet those alone. */
export function printVerify(report: VerifyReport, session: Session): void {
  const { settings, outStyle: style } = session;
  for (const verdict of report.sources) if (!verdict.ok || !settings.quiet) printSource(verdict, session);
  if (settings.quiet) return;
  const failed = report.sources.filter(({ ok }) => !ok).length;
  const all = counted(report.sources.length, 'source');
  const word = failed === 0 ? style.green('verified') : style.red('failed');
  const which = failed > 0 && report.sources.length > 1 ? `${count(failed)} of ${all}` : all;
  session.print(`${word}: ${which} in ${duration(report.durationMs)}\n`);
}

function printSource(verdict: SourceVerdict, session: Session): void {
  const { settings, outStyle: style } = session;
  const { name, path, ok, rules } = verdict;
  const word = ok ? style.green('verified') : style.red('FAILED  ');
  const where = name === path ? '' : `  ${printable(path)}`;
  const facts = factsText(verdict);
  session.print(`${word}  ${style.bold(printable(name))}${where}${facts === '' ? '' : `  ${facts}`}\n`);
  const shown = (text: string): string => session.shown(text);
  for (const rule of rules) {
    if (rule.ok && !settings.verbose) continue;
    const label = rule.ok ? style.green('ok  ') : style.red('FAIL');
    session.print(`  ${label} ${rule.name}: ${ruleText(rule, verdict, shown)}\n`);
  }
  if (verdict.unreadable !== null && verdict.unreadable.hint !== '') {
    session.print(`  try: ${printable(verdict.unreadable.hint)}\n`);
  }
  printBackups(verdict, session);
  printFindings(verdict, session);
}

function factsText({ facts }: SourceVerdict): string {
  if (facts === null) return '';
  const { keys, commands, bytes, server, savedAtMs } = facts;
  const parts = [
    keys !== null ? counted(keys, 'key') : counted(commands, 'command'),
    size(bytes),
    ...(server === null ? [] : [printable(`${server.product} ${server.version}`)]),
    ...(savedAtMs === null ? [] : [`made ${instant(savedAtMs)}`]),
  ];
  return parts.join(', ');
}

function printBackups({ backups }: SourceVerdict, session: Session): void {
  for (const { path, madeAtMs, ok, failed } of backups ?? []) {
    if (ok === true && !session.settings.verbose) continue;
    if (ok === null && !session.settings.verbose) continue;
    const word =
      ok === null
        ? 'not verified, a newer one of its day is good'
        : ok
          ? 'good'
          : `FAILED ${failed.join(', ')}`;
    session.print(`  ${printable(basename(path))} of ${instant(madeAtMs)}: ${word}\n`);
  }
}

function printFindings({ path, check, damage }: SourceVerdict, session: Session): void {
  const { strict } = session.settings;
  const source = sourceWord(path);
  const all = [
    ...(damage === null ? [] : [{ finding: damage, within: '' }]),
    ...(check?.files ?? []).flatMap(({ path, findings }) =>
      findings.map((finding) => ({ finding, within: check!.files.length === 1 ? path : '' })),
    ),
  ].filter(({ finding }) => strict || FINDINGS[finding.code] === 'error');
  for (const { finding, within } of all.slice(0, FINDINGS_SHOWN)) {
    const text = findingText(finding, session, { within, source });
    session.print(`${text.replace(/^/gm, '    ')}\n`);
  }
  if (all.length > FINDINGS_SHOWN) {
    session.print(
      `    ${counted(all.length - FINDINGS_SHOWN, 'more error', 'more errors')}: rekindle check tells them all\n`,
    );
  }
}

/** One remark on the run itself. */
export function remarkText(remark: VerifyRemark): string {
  switch (remark.kind) {
    case 'state-unusable': {
      const kept = remark.keptAs === '' ? '' : `; it is kept as ${remark.keptAs}`;
      return printable(
        `${remark.path}: what earlier runs left cannot be used: ${remark.why}${kept}; a new one is begun`,
      );
    }
    case 'lock-taken-over':
      return printable(
        `${remark.path}: taken over from process ${remark.pid}, which died without releasing it`,
      );
    case 'ping-failed':
      return printable(`--ping ${remark.why}`);
    case 'alarm-failed':
      return printable(`--on-failure: ${remark.why}`);
  }
}

/** Says what concerns the run and not the backups: what could not be written even with --quiet. */
export function printRemarks(report: VerifyReport, session: Session): void {
  for (const remark of report.remarks) {
    // That nobody is told of a failure must be known; a lock that was left behind is mended.
    if (remark.kind === 'lock-taken-over') session.warn(remarkText(remark));
    else session.complain(`${session.errStyle.yellow('warning:')} ${remarkText(remark)}`);
  }
  for (const { path, message, hint } of report.failures) {
    session.complain(`rekindle: ${printable(path)}: ${printable(message)}`);
    if (hint !== '') session.complain(`  try: ${printable(hint)}`);
  }
}
