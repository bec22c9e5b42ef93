import { FileTarget } from '../../bytes/target.js';
import { UsageError } from '../../errors.js';
import { shownSource } from '../../live/address.js';
import { freqName, timeName, ttlName } from '../../tools/memory/bucket-names.js';
import { refuseInside } from '../../tools/output-place.js';
import { type ReportOptions, writeReport } from '../../tools/report/write-report.js';
import { asLog, type Source } from '../../tools/source.js';
import type { CommandDefinition } from '../catalog.js';
import { conditionsOf, type FilterFlags, filterOptions } from '../filter-flags.js';
import { liveSourceOptions } from '../live-flags.js';
import { printable } from '../render/escape.js';
import { hintOf, messageOf, severityOf } from '../render/findings.js';
import { counted, size } from '../render/numbers.js';
import type { Session } from '../session.js';
import { openNamed, preferOption, type SourceFlags } from '../source-flags.js';
import { StdoutTarget } from '../stdout-target.js';
import { parseCount } from '../values.js';
import { VERSION } from '../version.js';

interface ReportFlags extends SourceFlags, FilterFlags {
  readonly out?: string;
  readonly top?: string;
  readonly slots?: boolean;
  readonly mass?: string;
}

export const report: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[options] SOURCE -o report.html')
      .argument('<source>', 'a file, a directory, a live server (redis://…), or - for standard input')
      .option('-o, --out <file>', 'write the page there; - is standard output')
      .option('--top <n>', 'put so many of the largest keys into the table (default: 2000)')
      .option('--slots', 'add up the slots of a cluster')
      .option('--mass <keys>', 'mark deletions of so many keys, at once or in a row (default: 100)');
    liveSourceOptions(filterOptions(preferOption(command)))
      .addHelpText('after', HELP)
      .action((source: string, flags: ReportFlags) => launch((session) => run(source, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle report /var/lib/redis -o report.html           all of it on one page
  rekindle report dump.rdb -o report.html --redact        without any key or value
  rekindle report dump.rdb -o - | ssh host 'cat > report.html'

The page is one file, loads nothing and sends nothing: findings, what fills the memory by prefix, key and type, times to
live, and of a log the write rate with its dangerous commands. Filters choose the keys of the part on memory.

Exit codes: 0 written, 1 written, and the source is damaged, 2 the page exists and no --force, 3 a source can't be read.`;

async function run(path: string, flags: ReportFlags, session: Session): Promise<number> {
  const { out } = flags;
  if (out === undefined)
    throw new UsageError('where to is not said', 'give -o report.html, or -o - for standard output');
  const options = optionsOf(path, flags, session);
  const source = await openNamed(path, flags, session, { again: true });
  const target = await targetOf(out, source, session);
  try {
    const { bytes, check } = await writeReport(source, target, options, session.context);
    const { strict } = session.settings;
    const wrong = check.files
      .flatMap((file) => file.findings)
      .filter((finding) => severityOf(finding, strict) === 'error').length;
    if (session.settings.json) session.report({ output: out, bytes, errors: wrong });
    else if (out !== '-')
      session.print(
        `${printable(out)}: ${size(bytes)}${wrong > 0 ? `, ${counted(wrong, 'error')} found` : ''}\n`,
      );
    return wrong > 0 ? 1 : 0;
  } finally {
    await target.discard();
  }
}

async function targetOf(out: string, source: Source, session: Session): Promise<FileTarget | StdoutTarget> {
  if (out === '-') {
    if (session.settings.json)
      throw new UsageError('--json and -o - both want standard output', 'write the page to a file');
    return new StdoutTarget(session);
  }
  await refuseInside(out, source, await asLog(source), '-o ');
  return FileTarget.create(out, { force: session.settings.force });
}

function optionsOf(path: string, flags: ReportFlags, session: Session): ReportOptions {
  const { settings } = session;
  const { conceal, strict } = settings;
  return {
    conditions: conditionsOf(flags),
    dialect: settings.dialect,
    top: flags.top === undefined ? 2000 : parseCount(flags.top, '--top'),
    slots: flags.slots === true,
    massKeys: flags.mass === undefined ? 100 : parseCount(flags.mass, '--mass'),
    title: path === '-' ? 'standard input' : shownSource(path),
    version: VERSION,
    redacted: conceal !== null,
    words: {
      shown: (latin1) => session.shown(latin1),
      printable,
      finding: (finding) => ({
        severity: severityOf(finding, strict),
        message: messageOf(finding, conceal),
        hint: hintOf(finding, session.sources.of(finding.where.file)),
      }),
      ttl: ttlName,
      time: timeName,
      freq: freqName,
      size: ({ from, to }) => `${size(from!)} to ${size(to!)}`,
    },
  };
}
