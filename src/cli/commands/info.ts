import { type InfoReport, info as infoOf } from '../../tools/info.js';
import type { CommandDefinition } from '../catalog.js';
import { liveSourceOptions } from '../live-flags.js';
import { severityOf } from '../render/findings.js';
import { infoJson, printInfo } from '../render/info.js';
import { noteNotChecked } from '../render/not-checked.js';
import type { Session } from '../session.js';
import { liveNotChecked, openNamed, preferOption, type SourceFlags } from '../source-flags.js';

export const info: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE…')
      .argument('<source...>', 'files, directories, live servers (redis://…), or - for standard input');
    liveSourceOptions(preferOption(command))
      .addHelpText('after', HELP)
      .action((sources: string[], flags: SourceFlags) => launch((session) => run(sources, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle info dump.rdb
  rekindle info /var/lib/redis --json
  rekindle info backups/*.rdb
  rekindle info redis://localhost:6379     of a fresh snapshot of a running server

Exit codes: 0 read to the end, 1 damaged (what stands before the damage is told), 3 a source can't be read.`;

async function run(paths: readonly string[], flags: SourceFlags, session: Session): Promise<number> {
  const { settings } = session;
  const reports: InfoReport[] = [];
  for (const [i, path] of paths.entries()) {
    session.nextInput(i + 1, paths.length);
    const source = await openNamed(path, flags, session);
    const told = await infoOf(source, { dialect: settings.dialect }, session.context);
    const report = { ...told, notChecked: [...told.notChecked, ...liveNotChecked(source)] };
    if (!settings.json) printInfo(report, reports.length === 0, session);
    reports.push(report);
  }
  if (settings.json) session.report(infoJson(reports, session));
  else if (settings.verbose) {
    noteNotChecked(
      reports.flatMap((report) => report.notChecked),
      session,
    );
  }
  return reports.flatMap(findingsOf).some((each) => severityOf(each, settings.strict) === 'error') ? 1 : 0;
}

function findingsOf({ files, findings }: InfoReport): InfoReport['findings'] {
  return [...findings, ...files.flatMap((file) => (file.finding === null ? [] : [file.finding]))];
}
