import { InputError, OutputError, UsageError } from '../errors.js';
import { shownSource } from '../live/address.js';
import type { DamageError } from '../tools/report.js';
import type { Io } from './io.js';
import { printable, printableLines } from './render/escape.js';
import { findingText, problemJson } from './render/findings.js';
import { type Json, jsonReport } from './render/json.js';
import type { Session } from './session.js';
import { inputHint, inputMessage } from './suggest.js';

/**
 * Says what went wrong, on standard error and with --json as an object too, and resolves to the exit code. Everything
 * that is none of our own kinds of error is a defect, and is said to be one.
 */
export function reportFailure(error: unknown, argv: readonly string[], io: Io): number {
  const json = argv.includes('--json');
  const verbose = argv.includes('--verbose') || argv.includes('-v');
  const failure = describe(error, verbose, argv.includes('--redact'));
  const subject = failure.path === '' ? '' : `${printable(failure.path)}: `;
  io.stderr.write(`rekindle: ${subject}${printableLines(failure.message)}\n`);
  if (failure.hint !== '') io.stderr.write(`  try: ${printableLines(failure.hint)}\n`);
  if (json) {
    const { code, path, message, hint } = failure;
    const problem: Record<string, Json> = { code, path: path === '' ? null : path, message, hint };
    io.stdout.write(jsonReport({ error: problem }));
  }
  return failure.exitCode;
}

/** Says that a source is too damaged for what was asked, as `reportFailure` does. */
export function reportDamage({ finding }: DamageError, session: Session): number {
  const how = { severity: 'error', alone: true } as const;
  session.complain(findingText(finding, session, { ...how, style: session.errStyle, within: '' }));
  if (session.settings.json) {
    session.report({ path: finding.where.file, problems: [problemJson(finding, session, how)] });
  }
  return 1;
}

interface Failure {
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly hint: string;
  readonly exitCode: number;
}

function describe(error: unknown, verbose: boolean, redact: boolean): Failure {
  if (error instanceof InputError) {
    const { code } = error;
    const path = shownSource(error.path);
    return { code, path, message: inputMessage(error, redact), hint: inputHint(error), exitCode: 3 };
  }
  if (error instanceof UsageError) {
    return { code: 'usage', path: '', message: error.message, hint: error.hint, exitCode: 2 };
  }
  if (error instanceof OutputError) {
    const { message, hint } = error;
    return { code: 'output', path: shownSource(error.path), message, hint, exitCode: 4 };
  }
  const missing = packageMissing(error);
  if (missing !== null) {
    return {
      code: 'package',
      path: '',
      message: `this takes the package ${missing}, which is not installed`,
      hint: `npm install ${missing} where rekindle is (with -g where rekindle was installed so)`,
      exitCode: 4,
    };
  }
  const text =
    error instanceof Error ? (verbose ? (error.stack ?? error.message) : error.message) : String(error);
  return {
    code: 'internal',
    path: '',
    message: text.startsWith('internal error') ? text : `internal error, please report it: ${text}`,
    hint: verbose ? '' : 'run it again with --verbose for the place in the code, and add that to the report',
    exitCode: 4,
  };
}

/** The name of a package that was to be loaded and is not there; null for every other error. */
function packageMissing(error: unknown): string | null {
  if ((error as NodeJS.ErrnoException | null)?.code !== 'ERR_MODULE_NOT_FOUND') return null;
  return /^Cannot find package '([^']+)'/.exec((error as Error).message)?.[1] ?? null;
}
