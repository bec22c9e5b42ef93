import type { Measured } from '../../tools/recover/measure.js';
import type { ForeseenStart, RecoverPlan } from '../../tools/recover/plan.js';
import type { Part, Way } from '../../tools/recover/ways.js';
import type { Candidate } from '../../tools/recover/weigh.js';
import type { RecoverReport } from '../../tools/recover.js';
import type { Session } from '../session.js';
import { sourceWord } from '../source-names.js';
import { problemJson } from './findings.js';
import type { Json } from './json.js';
import { notCheckedJson } from './not-checked.js';

type Fields = Readonly<Record<string, Json>>;

/** The JSON fields of the contract, and more. Times are unix seconds. */
export function recoverJson(report: RecoverReport, session: Session): Fields {
  const { config, effective, basis, plan, output } = report;
  return {
    path: report.path,
    verdict: report.verdict,
    config: {
      path: config.path,
      appendonly: effective.appendOnly,
      basis,
      appendfsync: effective.appendFsync,
      aofLoadTruncated: effective.aofLoadTruncated,
      save: effective.savePoints.map(({ seconds, changes }) => [seconds, changes]),
      problems: config.problems.map(({ file, line, message }) => ({ file, line, message })),
      notIncluded: [...config.notIncluded],
    },
    candidates: report.candidates.map((each) => candidateJson(each, session)),
    starts: report.starts.map(startJson),
    ways: report.ways.map((measured, i) => wayJson(measured, i + 1)),
    plan: plan === null ? null : planJson(plan),
    loss: plan === null ? null : lossJson(plan),
    durability: durabilityJson(report),
    users: report.users.map(({ pid, name, path }) => ({ pid, name, path })),
    output: output?.path ?? null,
    ...(output === null
      ? {}
      : {
          outputFiles: output.files.map(({ name, bytes }) => ({ name, bytes })),
          outputKeys: output.keys,
          outputDigest: output.digest,
          outputLost: output.lost.map(({ database, key, what }) => ({
            db: database,
            key: key === null ? null : session.json(key),
            what,
          })),
          backup: output.backupPath,
        }),
    notChecked: notCheckedJson(report.notChecked),
  };
}

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms) / 1000);

/** The files of the log that the directory stands for are not mended one by one. */
const OF_THE_LOG: ReadonlySet<Candidate['kind']> = new Set(['manifest', 'base', 'increment']);

function candidateJson(file: Candidate, session: Session): Json {
  const how = OF_THE_LOG.has(file.kind) ? {} : { source: sourceWord(file.path) };
  return {
    path: file.path,
    name: file.name,
    kind: file.kind,
    format: file.form,
    bytes: file.bytes,
    modified: seconds(file.modifiedMs),
    state: file.state,
    unread: file.unread,
    validBytes: file.validBytes,
    keys: file.rdbKeys,
    commands: file.commands,
    commandsBehindDamage: file.commandsBehind,
    producer: file.producer === null ? null : `${file.producer.product}-${file.producer.version}`,
    savedAt: seconds(file.savedAtMs),
    firstTime: seconds(file.firstTimeMs),
    lastTime: seconds(file.lastTimeMs),
    problems: file.findings.map((each) => problemJson(each, session, how)),
  };
}

function startJson(start: ForeseenStart): Json {
  return {
    appendonly: start.appendOnly,
    aofLoadTruncated: start.aofLoadTruncated,
    expected: start.expected,
    outcome: start.outcome,
    reason: start.reason,
    file: start.file,
    offset: start.offset,
    effects: [...start.effects],
    way: start.way === 0 ? null : start.way,
    keys: start.keys,
    digest: start.digest,
  };
}

function wayJson({ way, measure, why }: Measured, number: number): Fields {
  return {
    number,
    kind: way.kind,
    existed: way.existed,
    parts: way.parts.map(partJson),
    leftOut: way.leftOut.map(({ name }) => name),
    missing: [...way.missing],
    concluded: way.concluded,
    bytes: way.bytes,
    lostBytes: way.lostBytes,
    correctedBytes: way.corrected,
    commands: way.commands,
    keys: measure?.keys ?? null,
    expired: measure?.expired ?? null,
    digest: measure?.digest ?? null,
    newest: seconds(way.newest?.ms ?? null),
    newestBy: way.newest?.by ?? null,
    damage: damageJson(way),
    ...(why === '' ? {} : { why }),
  };
}

function partJson({ candidate, role, content }: Part): Json {
  const { left, corrected, salvagedKeys } = content;
  return {
    file: candidate.name,
    role,
    bytes: candidate.bytes,
    dropped: left.map(({ from, to, commands }) => ({ from, to, commands })),
    correctedBytes: corrected,
    salvagedKeys,
  };
}

function damageJson({ damage }: Way): Json {
  if (damage === null) return null;
  return { code: damage.code, file: damage.where.file, offset: damage.where.offset };
}

function planJson(plan: RecoverPlan): Json {
  return { ...wayJson(plan.measured, plan.number), writes: { ...plan.shape }, cautions: [...plan.cautions] };
}

function lossJson({ loss }: RecoverPlan): Json {
  return {
    bytes: loss.bytes,
    commands: loss.commands,
    since: seconds(loss.sinceMs),
    until: seconds(loss.untilMs),
    ranges: loss.ranges.map(({ file, from, to, commands }) => ({ file, from, to, commands })),
    unused: [...loss.unused],
  };
}

function durabilityJson({ durability }: RecoverReport): Json {
  return {
    by: durability.by,
    killedSeconds: seconds(durability.killedMs),
    powerSeconds: seconds(durability.powerMs),
    heldBack: durability.heldBack,
    lastSave: seconds(durability.lastSaveMs),
    lastWritten: seconds(durability.lastWrittenMs),
  };
}
