import type { PassedOver } from '../../tools/rebuild.js';
import type { Proof } from '../../tools/replay/prove.js';
import type { ReplayOptions, ReplayReport, UndoReport } from '../../tools/replay.js';
import type { Session } from '../session.js';
import { problemJson } from './findings.js';
import { type Json, jsonBytes } from './json.js';
import { notCheckedJson } from './not-checked.js';
import { unmatchedText } from './replay.js';
import { sentJson } from './sent.js';

/** The JSON fields of cli.md, and more. */
export function replayJson(
  report: ReplayReport,
  options: ReplayOptions,
  session: Session,
): Readonly<Record<string, Json>> {
  const { stoppedAt, digest, output, sent, proof, undo } = report;
  const { strict } = session.settings;
  const { file, timeMs, reason, command } = stoppedAt;
  const unmatched = unmatchedText(report);
  return {
    stoppedAt: {
      file: file?.name ?? null,
      offset: stoppedAt.offset,
      command,
      time: timeMs < 0 ? null : timeMs / 1000,
      reason,
    },
    applied: report.applied,
    skipped: report.skipped.map(passedOverJson),
    refused: report.refusedCount,
    keys: report.keys,
    allKeys: report.allKeys,
    digest: digest?.digest ?? null,
    as: digest?.chosen.name ?? null,
    because: digest?.chosen.because ?? null,
    ...(options.expectDigest === null ? {} : { expectedDigest: options.expectDigest, ok: report.asExpected }),
    output: output?.published === true ? output.path : null,
    ...(output === null
      ? {}
      : { outputForm: output.form, outputFor: output.target, outputBytes: output.bytes }),
    ...(undo === null ? {} : { undo: undoJson(undo, session) }),
    ...(sent === null ? {} : { target: sentJson(sent, session) }),
    ...(proof === null ? {} : { proof: proofJson(proof, session) }),
    lost: (output?.lost ?? sent?.lost ?? []).map(({ database, key, what }) => ({
      db: database,
      key: key === null ? null : session.json(key),
      what,
    })),
    problems: report.findings.map((finding) => ({
      file: finding.where.file,
      ...problemJson(finding, session, { severity: strict ? 'error' : 'warning' }),
    })),
    warnings: unmatched === null ? [...report.cautions] : [unmatched, ...report.cautions],
    notChecked: notCheckedJson(digest?.notChecked ?? []),
  };
}

function passedOverJson({ file, offset: at, number, command, reason }: PassedOver): Json {
  return { file, offset: at, number, command: jsonBytes(command), reason };
}

function undoJson({ command, idle, later }: UndoReport, session: Session): Json {
  if (command === null) return { command: null, matchesBefore: idle, matchesBehind: later };
  const { file, offset, bytes, number, timeMs, database, inTransaction, words, replaced } = command;
  return {
    command: words.map((word, i) => (i === 0 ? jsonBytes(word) : session.json(word))),
    file: file.name,
    ...{ offset, bytes, number, time: timeMs < 0 ? null : timeMs / 1000, db: database, inTransaction },
    ...{ replaced, matchesBefore: idle, matchesBehind: later },
  };
}

function proofJson(proof: Proof, session: Session): Json {
  const { equal, server, theirs, ours, compared, past, differences, differenceCount } = proof;
  return {
    ...{ equal, server, digest: theirs, ours, compared, past, differences: differenceCount },
    differing: differences.map(({ database, key, what }) => ({ db: database, key: session.json(key), what })),
  };
}
