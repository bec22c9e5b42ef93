import type { Diagnosis, UnknownLine } from '../../tools/doctor/diagnosis.js';
import type { DataRisk, MessageSeverity } from '../../tools/doctor/message.js';
import type { DoctorReport } from '../../tools/doctor.js';
import type { Session } from '../session.js';
import { DIRECTORY, filled, filledCommand, type Names, namesOf, RISK_WORDS } from './doctor-words.js';
import { printable, shellWord } from './escape.js';
import type { Json } from './json.js';
import { count, counted } from './numbers.js';
import { printSituation } from './recover.js';
import { recoverJson } from './recover-json.js';

const WIDTH_MAX = 100;
const LABEL_WIDTH = 9;

/** The report, as people read it. */
export function printDoctor(report: DoctorReport, session: Session): void {
  new DoctorText(report, session).print();
}

class DoctorText {
  private namesDirectory = false;

  constructor(
    private readonly report: DoctorReport,
    private readonly session: Session,
  ) {}

  print(): void {
    const { kind, situation } = this.report;
    if (situation !== null) printSituation(situation, this.session);
    if (kind === 'data') this.data();
    else if (kind === 'lines') this.lines();
    else this.log();
    if (this.namesDirectory) {
      this.line('');
      this.wrapped(
        '',
        `${DIRECTORY} is the data directory of the server: \`redis-cli CONFIG GET dir\`, or \`dir\` in its configuration (/var/lib/redis on Debian)`,
      );
    }
  }

  private lines(): void {
    this.report.diagnoses.forEach((each, i) => {
      if (i > 0) this.line('');
      this.diagnosis(each);
    });
    this.report.unknown.forEach((each, i) => {
      if (i > 0 || this.report.diagnoses.length > 0) this.line('');
      this.unknown(each);
    });
  }

  private log(): void {
    const { report, session } = this;
    const { diagnoses, logs, kind } = report;
    const grave = diagnoses.filter(({ message }) => message.severity !== 'info');
    if (kind === 'directory') {
      if (logs.length === 0) return;
      this.line(`\n${session.outStyle.bold('What its logs say')}`);
    }
    for (const { path, lines, unread } of logs) {
      const what = unread === null ? `${counted(lines, 'line')} read` : `not read: ${unread}`;
      this.line(`${printable(path)}: ${printable(what)}`);
    }
    const now = grave.filter(({ inLastRun }) => inLastRun);
    const earlier = grave.filter(({ inLastRun }) => !inLastRun);
    if (grave.length === 0) {
      const known =
        report.linesKnown === 0 ? 'no line of a server is in it' : 'nothing in it tells of trouble';
      this.line(kind === 'directory' ? '  nothing in them tells of trouble' : known);
    }
    for (const each of now) {
      this.line('');
      this.diagnosis(each);
    }
    if (earlier.length === 0) return;
    this.line(`\n${session.outStyle.bold('In earlier runs of the server')}`);
    for (const each of earlier) this.line(`  ${this.headline(each).replace('\n', '\n    ')}`);
  }

  private data(): void {
    const path = shellWord(this.report.path!);
    this.line(`${printable(this.report.path!)} is no log, but a file of a dataset`);
    this.remedy('see what it is and what it holds', `rekindle info ${path}`);
    this.remedy('verify it', `rekindle check ${path}`);
  }

  private headline({ message, saying, time, line, log, count: times, text }: Diagnosis): string {
    const { outStyle: style } = this.session;
    const paint = { fatal: style.red, error: style.red, warning: style.yellow, info: style.green };
    const shown = this.session.settings.conceal === null ? printable(text) : printable(saying.text);
    const facts = [];
    const where = this.report.logs.length > 1 && log !== null ? `${printable(log)}, ` : '';
    if (this.report.kind !== 'lines') facts.push(`${where}line ${count(line)}`);
    if (time !== '') facts.push(printable(time));
    if (times > 1) facts.push(`${count(times)} times`);
    const more = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
    return `${paint[message.severity](message.severity)}  ${message.id}${more}\n${shown}`;
  }

  private diagnosis(diagnosis: Diagnosis): void {
    const { message } = diagnosis;
    const names = this.names(diagnosis);
    const [first, shown] = this.headline(diagnosis).split('\n');
    this.line(first!);
    this.line(`  ${shown}`);
    this.wrapped('means', filled(message.means, names));
    this.wrapped('data', `${this.risk(message.risk)}: ${filled(message.data, names)}`);
    for (const each of message.never) this.wrapped('never', neverText(each));
    for (const { why, command } of message.remedies) {
      const text = filledCommand(command, names);
      if (new RegExp(`\\b${DIRECTORY}\\b`).test(text)) this.namesDirectory = true;
      this.remedy(why, text);
    }
    this.session.detail(`said by ${diagnosis.saying.by}`);
  }

  private names(diagnosis: Diagnosis): Names {
    const names = namesOf(diagnosis, this.report);
    const { conceal } = this.session.settings;
    if (conceal === null) return names;
    const hidden = Object.entries(names).map(([name, value]) => [
      name,
      SECRET.has(name) ? conceal(Buffer.from(value).latin1Slice()) : value,
    ]);
    return Object.fromEntries(hidden) as Names;
  }

  private risk(risk: DataRisk): string {
    const { outStyle: style } = this.session;
    return risk === 'none' ? style.green(RISK_WORDS[risk]) : style.red(RISK_WORDS[risk]);
  }

  private remedy(why: string, command: string): void {
    this.wrapped('do', why);
    this.line(`${' '.repeat(LABEL_WIDTH + 4)}${this.session.outStyle.bold(command)}`);
  }

  private unknown({ text, line, nearest }: UnknownLine): void {
    const { session, report } = this;
    const shown = session.settings.conceal === null ? printable(text) : 'redacted';
    const where = report.linesRead > 1 ? ` (line ${count(line)})` : '';
    this.line(`${session.outStyle.yellow('unknown')}${where}`);
    this.line(`  ${shown}`);
    if (nearest.length === 0) {
      this.wrapped('', 'no message like it is known: is it of the server, and copied whole?');
      return;
    }
    this.wrapped('', 'no such message is known; the nearest:');
    for (const { message, saying } of nearest)
      this.line(`    ${message.id}  ${saying.text.replaceAll('#', '')}`);
  }

  private wrapped(label: string, text: string): void {
    const width = Math.max(40, Math.min(this.session.io.stdout.columns ?? WIDTH_MAX, WIDTH_MAX));
    const indent = label === '' ? 2 : LABEL_WIDTH + 2;
    const lines: string[] = [];
    let line = '';
    for (const word of text.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width - indent) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
    const head = label === '' ? '  ' : `  ${label.padEnd(LABEL_WIDTH)}`;
    this.line(`${head}${lines.join(`\n${' '.repeat(indent)}`)}`);
  }

  private line(text: string): void {
    this.session.print(`${text}\n`);
  }
}

/** Names that stand for bytes of a dataset. */
const SECRET = new Set(['key', 'keyText', 'body', 'error', 'reason', 'entry', 'entryText']);

/** Every such sentence begins with `do not`, which the label says already. */
const neverText = (text: string): string => text.replace(/^do not /, '');

/** The fields of `--json`. */
export function doctorJson(report: DoctorReport, session: Session): Readonly<Record<string, Json>> {
  const { conceal } = session.settings;
  const { kind, path, server, directory, linesRead, linesKnown, logs, situation } = report;
  return {
    kind,
    path,
    directory,
    server: server === null ? null : { ...server },
    linesRead,
    linesKnown,
    diagnoses: report.diagnoses.map((each) => diagnosisJson(each, report, conceal !== null)),
    unknown: report.unknown.map(({ text, line, nearest }) => ({
      line,
      text: conceal === null ? text : 'redacted',
      nearest: nearest.map(({ message, saying }) => ({ id: message.id, says: saying.text })),
    })),
    logs: logs.map((log) => ({ ...log })),
    situation: situation === null ? null : recoverJson(situation, session),
  };
}

function diagnosisJson(diagnosis: Diagnosis, report: DoctorReport, hides: boolean): Json {
  const { message, saying, captures, text, line, log, time, count: times, inLastRun } = diagnosis;
  const names = namesOf(diagnosis, report);
  const severity: MessageSeverity = message.severity;
  return {
    id: message.id,
    severity,
    line,
    log,
    time: time === '' ? null : time,
    count: times,
    inLastRun,
    text: hides ? 'redacted' : text,
    says: saying.text,
    by: saying.by,
    found: hides ? {} : { ...captures },
    means: hides ? message.means : filled(message.means, names),
    data: { risk: message.risk, text: hides ? message.data : filled(message.data, names) },
    never: [...message.never],
    remedies: message.remedies.map(({ why, command }) => ({
      why,
      command: hides ? command : filledCommand(command, names),
    })),
  };
}
