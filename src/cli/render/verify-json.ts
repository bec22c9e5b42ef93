import type { DatasetFacts, RuleResult } from '../../tools/verify/rules.js';
import type { SourceVerdict } from '../../tools/verify/verdict.js';
import type { VerifyReport } from '../../tools/verify.js';
import type { Session } from '../session.js';
import { sourceWord } from '../source-names.js';
import { problemJson } from './findings.js';
import type { Json } from './json.js';
import { notCheckedJson } from './not-checked.js';
import { remarkText } from './verify.js';
import { ruleText } from './verify-words.js';

type Fields = Readonly<Record<string, Json>>;

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms) / 1000);

/** The JSON fields of the contract, and more. Times are unix seconds. */
export function verifyJson(report: VerifyReport, session: Session): Fields {
  return {
    ok: report.ok,
    rules: report.sources.flatMap((verdict) =>
      verdict.rules.map((rule) => ({ source: verdict.name, ...ruleJson(rule, verdict, session) })),
    ),
    sources: report.sources.map((verdict) => sourceJson(verdict, session)),
    remarks: report.remarks.map((remark) => ({ code: remark.kind, message: remarkText(remark) })),
    failures: report.failures.map(({ path, message, hint }) => ({ path, message, hint })),
    durationMs: report.durationMs,
    notChecked: notCheckedJson(report.sources.flatMap(({ notChecked }) => notChecked)),
  };
}

function ruleJson(rule: RuleResult, verdict: SourceVerdict, session: Session): Fields {
  const { name, ok, value, limit, of } = rule;
  const subject: Fields = of === '' ? {} : { of: session.json(of) };
  return {
    name,
    ok,
    value,
    limit,
    ...subject,
    message: ruleText(rule, verdict, (text) => session.shown(text)),
  };
}

function sourceJson(verdict: SourceVerdict, session: Session): Fields {
  const { name, path, ok, atMs, durationMs, rules, facts, unreadable, drill, against, backups } = verdict;
  return {
    name,
    path,
    ok,
    at: seconds(atMs),
    durationMs,
    ...(facts === null ? {} : factsJson(facts)),
    rules: rules.map((rule) => ruleJson(rule, verdict, session)),
    errors: verdict.errors,
    warnings: verdict.warnings,
    problems: problemsOf(verdict, session),
    error: unreadable === null ? null : { ...unreadable },
    drill: drill === null ? null : { ...drill },
    against: against === null ? null : { ...against },
    backups:
      backups?.map(({ madeAtMs, failed, ...backup }) => ({
        ...backup,
        madeAt: seconds(madeAtMs),
        failed: [...failed],
      })) ?? null,
    lastGood: seconds(verdict.lastGoodMs),
  };
}

function factsJson(facts: DatasetFacts): Fields {
  const { server } = facts;
  return {
    bytes: facts.bytes,
    keys: facts.keys,
    commands: facts.commands,
    withExpiry: facts.withExpiry,
    expired: facts.expired,
    savedAt: seconds(facts.savedAtMs),
    savedBy: facts.savedBy,
    server: server === null ? null : `${server.product}-${server.version}`,
    dialect: facts.dialect,
    version: facts.rdbVersion,
  };
}

function problemsOf({ path, check, damage }: SourceVerdict, session: Session): Json {
  const source = sourceWord(path);
  const all = [
    ...(damage === null ? [] : [damage]),
    ...(check?.files ?? []).flatMap(({ findings }) => findings),
  ];
  return all.map((finding) => ({
    path: finding.where.file,
    ...problemJson(finding, session, { source }),
  }));
}
