import { stat } from '../../bytes/system.js';
import { UsageError } from '../../errors.js';
import { doctor as askDoctor, type DoctorReport, type DoctorSubject } from '../../tools/doctor.js';
import type { CommandDefinition } from '../catalog.js';
import { doctorJson, printDoctor } from '../render/doctor.js';
import { noteNotChecked } from '../render/not-checked.js';
import type { Session } from '../session.js';

export const doctor: CommandDefinition = {
  define(command, launch) {
    command
      .usage('[LINE… | LOG | DIR]')
      .argument('[lines...]', 'what a server logged; or a log file, a data directory, - for standard input')
      // What is pasted holds options of other programs: `… then use ./redis-check-aof --fix <filename>`.
      .allowUnknownOption()
      .addHelpText('after', HELP)
      .action((words: string[]) => launch((session) => run(words, session)));
  },
};

const HELP = `
Examples:
  rekindle doctor "Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup…"
  journalctl -u redis | rekindle doctor                  whatever a server logged, from a pipe
  rekindle doctor /var/log/redis/redis-server.log        a log: its last run first
  rekindle doctor /var/lib/redis                         a data directory: its files, what a server would do, its logs

Quote a line in double quotes, or paste it into \`rekindle doctor\` alone and end with Ctrl-D. Times, process numbers and the
wrapping of journald, Docker and JSON logs don't matter. Nothing is changed.

Exit codes: 0 explained (of a directory: nothing needs to be done), 1 no line is known (of a directory: something has to be
done), 3 the log or directory can't be read.`;

async function run(words: readonly string[], session: Session): Promise<number> {
  const subject = await subjectOf(words, session);
  const report = await askDoctor(subject, session.context);
  if (session.settings.json) session.report(doctorJson(report, session));
  else printDoctor(report, session);
  if (report.kind === 'lines' && report.diagnoses.length + report.unknown.length === 0) {
    session.complain(
      'there was no line to explain\n  try: rekindle doctor LOG, or `tail -n 50 LOG | rekindle doctor`',
    );
  }
  if (report.situation !== null) noteNotChecked(report.situation.notChecked, session);
  return exitCodeOf(report);
}

function exitCodeOf({ kind, linesKnown, situation }: DoctorReport): number {
  if (situation !== null) return situation.verdict === 'ready' ? 0 : 1;
  return kind === 'data' || linesKnown > 0 ? 0 : 1;
}

/** One word that is a path is that path; words without blanks are one line that was not quoted. */
async function subjectOf(words: readonly string[], session: Session): Promise<DoctorSubject> {
  const { io } = session;
  const [first] = words;
  if (first === undefined || (first === '-' && words.length === 1)) {
    if (io.stdin.isTTY === true) session.note('paste what the server logged, then press Ctrl-D');
    return { kind: 'input', input: io.stdin };
  }
  if (words.length === 1 && (await exists(first))) return { kind: 'path', path: first };
  if (words.length === 1 && first.startsWith('-')) {
    throw new UsageError(`unknown option '${first}'`, 'rekindle help doctor');
  }
  if (words.length === 1 && /^[./~]|^[^ ]*\.(log|rdb|aof|conf)$/.test(first) && !first.includes(' ')) {
    return { kind: 'path', path: first };
  }
  const isQuoted = words.some((word) => word.includes(' '));
  const lines = (isQuoted ? words : [words.join(' ')]).flatMap((line) => line.split('\n'));
  return { kind: 'lines', lines };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
