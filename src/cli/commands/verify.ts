import { localDisk } from '../../bytes/disk.js';
import { InputError, OutputError, UsageError } from '../../errors.js';
import { gatherEvidence, writeEvidence } from '../../tools/evidence.js';
import { type VerifyReport, verify as verifySources } from '../../tools/verify.js';
import type { CommandDefinition } from '../catalog.js';
import { evidenceFields } from '../render/evidence.js';
import { type Json, jsonReport } from '../render/json.js';
import { noteNotChecked } from '../render/not-checked.js';
import { printRemarks, printVerify } from '../render/verify.js';
import { verifyJson } from '../render/verify-json.js';
import { pluginCode, pluginLines, pluginUnknown } from '../render/verify-nagios.js';
import type { Session } from '../session.js';
import { parseWord } from '../values.js';
import { evidencePathOf, requestOf, type VerifyFlags, verifyOptions } from '../verify-flags.js';

export const verify: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE…')
      .argument('[source...]', 'backups: files, directories, live servers, -');
    verifyOptions(command)
      .addHelpText('after', HELP)
      .action((sources: string[], flags: VerifyFlags) => launch((session) => run(sources, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle verify /backup/dump.rdb --max-age 26h --min-keys 1000 --quiet       for cron: speaks when it must
  rekindle verify /backup/dump.rdb --state /var/lib/rekindle/state.json        compare with what the last good run found
  rekindle verify /var/lib/redis --drill server                                restore it into a server of its own
  rekindle verify /backup/redis --backups --keep daily:7,weekly:4              a directory of backups, its gaps named
  rekindle verify /backup/dump.rdb --against redis://replica:6379 --sample 1000 --max-drift 5%
  rekindle verify --config /etc/rekindle.json --prometheus /var/lib/node_exporter/rekindle.prom

A backup is verified when it can be read, is intact, is not empty, and every rule that was asked for holds. Nothing of it is
changed. The password of a live server stands in REKINDLE_PASSWORD, the address of --ping may stand in REKINDLE_PING_URL.

Exit codes: 0 verified, 1 failed, 3 a source can't be read, 4 state or metrics can't be written, or another run is under way.
With --format nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.`;

const FORMATS = ['text', 'json', 'nagios'] as const;

async function run(paths: readonly string[], flags: VerifyFlags, session: Session): Promise<number> {
  const given = flags.format === undefined ? 'text' : parseWord(flags.format, '--format', FORMATS);
  if (given !== 'nagios') return runAs(session.settings.json ? 'json' : given, paths, flags, session);
  try {
    return await runAs('nagios', paths, flags, session);
  } catch (error) {
    const isOurs = error instanceof UsageError || error instanceof OutputError || error instanceof InputError;
    if (!isOurs) throw error;
    const path = error instanceof UsageError ? '' : `${error.path}: `;
    session.print(pluginUnknown(`${path}${error.message}`));
    return 3;
  }
}

async function runAs(
  format: (typeof FORMATS)[number],
  paths: readonly string[],
  flags: VerifyFlags,
  session: Session,
): Promise<number> {
  const request = await requestOf(paths, flags, session);
  const report = await verifySources(request.options, session.context);
  const evidence = evidencePathOf(flags, request.config);
  const whole = evidence === null ? report : await withEvidence(report, evidence, flags, paths, session);
  if (format === 'nagios') {
    session.print(pluginLines(whole, (text) => session.shown(text)));
    return pluginCode(whole);
  }
  if (format === 'json') session.report(verifyJson(whole, session));
  else printVerify(whole, session);
  printRemarks(whole, session);
  const notChecked = whole.sources.flatMap((verdict) => verdict.notChecked);
  noteNotChecked(notChecked, session);
  return exitCodeOf(whole);
}

function exitCodeOf({ ok, failures, sources }: VerifyReport): number {
  if (failures.length > 0) return 4;
  if (sources.some(({ unreadable }) => unreadable !== null)) return 3;
  return ok ? 0 : 1;
}

/** Leaves the evidence; that it could not be written is one more failure of the run. */
async function withEvidence(
  report: VerifyReport,
  { path, replace }: { readonly path: string; readonly replace: boolean },
  flags: VerifyFlags,
  sources: readonly string[],
  session: Session,
): Promise<VerifyReport> {
  try {
    const inputs = await gatherEvidence(report.inputs, session.context);
    const options = { ...shownFlags(flags), sources };
    const text = jsonReport(evidenceFields(inputs, options, verifyJson(report, session) as Json, session));
    await writeEvidence(path, text, replace || session.settings.force, localDisk);
    session.note(`evidence is in ${path}`);
    return report;
  } catch (error) {
    if (error instanceof OutputError) return { ...report, failures: [...report.failures, error] };
    if (!(error instanceof UsageError)) throw error;
    const failure = new OutputError(path, error.message, error.hint);
    return { ...report, failures: [...report.failures, failure] };
  }
}

/** Options as they may be shown: whoever knows the address of a dead-man's switch can hold it. */
function shownFlags(flags: VerifyFlags): Readonly<Record<string, Json>> {
  const { ping, against, ...rest } = flags;
  const shown = JSON.parse(JSON.stringify(rest)) as Record<string, Json>;
  return {
    ...shown,
    ...(ping === undefined ? {} : { ping: 'given' }),
    ...(against === undefined ? {} : { against: against.replace(/\/\/[^/]*@/, '//') }),
  };
}
