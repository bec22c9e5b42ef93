import type { DangerKind } from '../../tools/log/danger.js';
import type { Danger, DangerReport } from '../../tools/log/dangerous.js';
import type { Session } from '../session.js';
import { printable, quotedBytes, shellWord } from './escape.js';
import type { Json } from './json.js';
import { endJson } from './log.js';
import { count, counted, instant, size } from './numbers.js';

/** What it costs, in words. */
function costOf(danger: Danger, session: Session): string {
  const { kind, words, keys, commands, lastNumber, database } = danger;
  switch (kind) {
    case 'flushall':
      return 'removes every key of every database';
    case 'flushdb':
      return `removes every key of database ${database}`;
    case 'flushslots':
      return 'removes every key of some cluster slots';
    case 'delete':
      return `removes up to ${counted(keys, 'key')} at once`;
    case 'deletes':
      return `${counted(commands, 'deletion')} in a row, up to command ${count(lastNumber)}, of up to ${counted(keys, 'key')}`;
    case 'rename':
      return `replaces ${session.shown(words[2]?.text ?? '')}, if it is there`;
    case 'swapdb':
      return `exchanges databases ${printable(words[1]?.text ?? '')} and ${printable(words[2]?.text ?? '')}`;
    case 'script':
      return 'changes the scripts that the server knows';
    case 'function':
      return 'changes the functions that the server knows';
  }
}

/** Whether replay can bring back what it removed. */
const UNDONE = new Set<DangerKind>(['flushall', 'flushdb', 'delete', 'rename']);

/** What can be pasted to get to the point before a command, and what can be got back. */
export interface DangerCommands {
  readonly before: readonly string[];
  readonly undo: string | null;
}

/** @param source as it was given on the command line */
export function commandsFor({ kind, number, before, words }: Danger, source: string): DangerCommands {
  const replay = `rekindle replay ${shellWord(source)}`;
  const place = shellWord(`${before.file}:${before.offset}`);
  return {
    before: [
      `${replay} --until-command ${before.command} --out restored`,
      `${replay} --until-offset ${place} --out restored`,
    ],
    undo: UNDONE.has(kind)
      ? `${replay} --until-command ${number - 1} --undo ${words[0]!.text.toUpperCase()} --out lost.rdb`
      : null,
  };
}

/** One paragraph for each, in the order of the log. */
export function printDangers(report: DangerReport, source: string, session: Session): void {
  const { outStyle: style } = session;
  for (const danger of report.dangers) {
    const { before, undo } = commandsFor(danger, source);
    const { transaction, timeMs, file, offset, number, database } = danger;
    const time = timeMs === null ? '' : `  ${instant(timeMs)}`;
    session.print(
      `${style.red(wordsText(danger, session))}\n` +
        `  ${costOf(danger, session)}\n` +
        `  command ${count(number)}, ${printable(file.name)}:${offset}, database ${database}${time}\n` +
        (transaction === null
          ? ''
          : `  in the transaction of command ${count(transaction)}: before is before all of it\n`) +
        before.map((line) => `  before: ${line}\n`).join('') +
        (undo === null ? '' : `  undo:   ${undo}\n`),
    );
  }
  const all = [...report.counts.values()].reduce((sum, each) => sum + each, 0);
  if (all === 0) session.print('nothing dangerous found\n');
  const left = all - report.dangers.length;
  if (left > 0) session.print(`and ${count(left)} more: of each kind the first ${count(1000)} are listed\n`);
}

function wordsText({ words, argc, kind, commands }: Danger, session: Session): string {
  const { conceal } = session.settings;
  const hides = conceal !== null && !['swapdb', 'flushall', 'flushdb'].includes(kind);
  const shown = words.map(({ text, bytes }, i) => {
    if (i > 0 && hides) return conceal(text);
    return bytes > text.length ? `${quotedBytes(text)}…(${size(bytes)})` : quotedBytes(text);
  });
  const more = argc - words.length;
  const rest = more > 0 ? ` … ${counted(more, 'more argument')}` : '';
  return `${shown.join(' ')}${rest}${commands > 1 ? ` … and ${counted(commands - 1, 'more deletion')}` : ''}`;
}

/** What is not told, on standard error. */
export function noteDangers(report: DangerReport, session: Session): void {
  if (report.scriptsRun === 0) return;
  session.warn(
    `${counted(report.scriptsRun, 'command')} run scripts or functions (EVAL, EVALSHA, FCALL): what those do is not looked into`,
  );
}

export function dangersJson(
  report: DangerReport,
  source: string,
  session: Session,
): Readonly<Record<string, Json>> {
  return {
    dangers: report.dangers.map((danger) => {
      const { kind, file, offset, bytes, number, timeMs, database, transaction, words, argc } = danger;
      const { before, undo } = commandsFor(danger, source);
      return {
        kind,
        file: file.name,
        offset,
        bytes,
        command: number,
        time: timeMs === null ? null : timeMs / 1000,
        db: database,
        transaction,
        words: words.map(({ text }, i) => (i === 0 ? text : session.json(text))),
        arguments: argc,
        keys: danger.keys,
        commands: danger.commands,
        lastCommand: danger.lastNumber,
        before: { ...danger.before, replay: before },
        undo,
      };
    }),
    counts: Object.fromEntries(report.counts),
    scriptsRun: report.scriptsRun,
    ...endJson(report.end, session),
  };
}
