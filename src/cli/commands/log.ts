import type { Cut } from '../../aof/cut.js';
import type { AofSet } from '../../aof/set.js';
import { FileSource } from '../../bytes/source.js';
import { UsageError } from '../../errors.js';
import { findDangers } from '../../tools/log/dangerous.js';
import { followLog, type LogEntry, type LogOptions, listLog } from '../../tools/log/list.js';
import type { LogPassEnd } from '../../tools/log/pass.js';
import { settleTimes } from '../../tools/log/since.js';
import { countLog } from '../../tools/log/stats.js';
import { asLog, type Source } from '../../tools/source.js';
import type { CommandDefinition } from '../catalog.js';
import { type CutFlags, cutOf, cutOptions } from '../cut-flags.js';
import { type LogFilterFlags, logConditionsOf, logFilterOptions, timeRequestOf } from '../log-flags.js';
import {
  commandJson,
  FULL,
  LogPrinter,
  logSummaryJson,
  noteLog,
  SHORT,
  severityInLog,
} from '../render/log.js';
import { dangersJson, noteDangers, printDangers } from '../render/log-dangers.js';
import { printStats, statsJson } from '../render/log-stats.js';
import type { Session } from '../session.js';
import { openNamed, preferOption, type SourceFlags } from '../source-flags.js';
import { parseCount } from '../values.js';

interface LogFlags extends SourceFlags, CutFlags, LogFilterFlags {
  readonly last?: string;
  readonly follow?: boolean;
  readonly full?: boolean;
  readonly stats?: boolean;
  readonly dangerous?: boolean;
  readonly mass?: string;
}

export const log: CommandDefinition = {
  define(command, launch) {
    command.usage('[options] SOURCE').argument('<source>', 'a file, a directory, or - for standard input');
    cutOptions(logFilterOptions(command))
      .option('--last <n>', 'only the last N of them')
      .option(
        '-f, --follow',
        'go on with what the server appends, across its rewrites; ends with Ctrl-C or the cut',
      )
      .option('--full', 'show every byte of long commands')
      .option('--stats', 'count instead: commands by name, second and key, the largest, the write rate')
      .option('--dangerous', 'list what removes or replaces much, with the point just before each')
      .option(
        '--mass <keys>',
        'with --dangerous: deletions of so many keys, at once or in a row (default: 100)',
      );
    preferOption(command)
      .addHelpText('after', HELP)
      .action((source: string, flags: LogFlags) => launch((session) => run(source, flags, session)));
  },
};

const HELP = `
Examples:
  rekindle log /var/lib/redis                              every command, with where and when it was written
  rekindle log /var/lib/redis --last 20                    the last ones before the crash
  rekindle log appendonlydir --since -15m --match 'user:*' what touched these keys in the last 15 minutes
  rekindle log /var/lib/redis --follow --last 10           what the server writes, across its rewrites
  rekindle log /var/lib/redis --dangerous                  was there a FLUSHALL, and how to get to the point before it
  rekindle log /var/lib/redis --stats                      who writes so much
  rekindle log appendonlydir --command DEL,UNLINK,'FLUSH*' --db 0
  zcat old.aof.gz | rekindle log - --json | jq -r 'select(.args[0] == "SET") | .args[1]'

Each line has the offset in the file named above it, the number that replay --until-command takes, the time of the
last #TS annotation before it, the database, a bar inside MULTI and EXEC, and the command. Commands stand as the files
hold them, those of a transaction that never ended too. A key that only RDB, FLUSHALL or a script touches is not found by
--match.`;

async function run(path: string, flags: LogFlags, session: Session): Promise<number> {
  const { settings } = session;
  const view = viewOf(flags);
  const request = requestOf(flags);
  const again = request.countsBack ? { again: true } : {};
  const source = await openNamed(path, flags, session, { readsOn: true, ...again });
  const set = await asLog(source);
  if (flags.follow === true) refuseUnlessLive(source, set);
  const options = { ...(await settled(request, set, session)), dialect: settings.dialect };
  const end = await view(set, options, path, session);
  return exitCodeOf(end, settings.strict);
}

type Options = Pick<LogOptions, 'cut' | 'conditions' | 'dialect'>;
/** Shows a log in one way, and says what was seen of it. */
type View = (set: AofSet, options: Options, path: string, session: Session) => Promise<LogPassEnd>;

function viewOf(flags: LogFlags): View {
  const { stats, dangerous, last, full, mass, follow } = flags;
  const lists = last !== undefined || full === true || follow === true;
  if (stats === true && dangerous === true) {
    throw new UsageError('--stats and --dangerous are two ways to look at a log', 'give one of the two');
  }
  if ((stats === true || dangerous === true) && lists) {
    throw new UsageError(
      '--last, --full and --follow are for the list of commands, which --stats and --dangerous do not show',
      'leave them out, or narrow what is counted with --since or --from-command',
    );
  }
  if (mass !== undefined && dangerous !== true) {
    throw new UsageError('--mass says what --dangerous lists, which is not given', 'add --dangerous');
  }
  const massKeys = mass === undefined ? MASS_KEYS : parseCount(mass, '--mass', 1);
  const held = last === undefined ? null : parseCount(last, '--last');
  if (stats === true) return showStats;
  if (dangerous === true) return (...given) => showDangers(massKeys, ...given);
  const how = { last: held, full: full === true, follow: follow === true };
  return (set, options, _path, session) => showCommands(how, set, options, session);
}

const MASS_KEYS = 100;

/** A pipe ends by itself, and what is packed does not grow. */
function refuseUnlessLive(source: Source, set: AofSet): void {
  if (source.kind === 'aof' && set.files.every(({ source: bytes }) => bytes instanceof FileSource)) return;
  const what = source.kind === 'rdb' ? 'an RDB' : source.path === '-' ? 'standard input' : 'what is packed';
  throw new UsageError(`--follow: ${what} is not a log that a server appends to`, 'leave --follow out');
}

interface Listed {
  /** Null: all of them. */
  readonly last: number | null;
  readonly full: boolean;
  readonly follow: boolean;
}

async function showCommands(
  { last, full, follow }: Listed,
  set: AofSet,
  options: Options,
  session: Session,
): Promise<LogPassEnd> {
  const { json } = session.settings;
  const print = json ? jsonPrinter(session) : textPrinter(full, session);
  const list = follow ? followLog : listLog;
  const listing = list(set, { ...options, batch: 512 }, session.context);
  const end = await (last === null
    ? printAll(listing, print, session)
    : printLast(last, listing, print, session));
  if (json) session.print(logSummaryJson(end, session));
  noteLog(end, !json, session);
  return end;
}

async function showStats(
  set: AofSet,
  options: Options,
  _path: string,
  session: Session,
): Promise<LogPassEnd> {
  const stats = await countLog(set, options, session.context);
  if (session.settings.json) session.report(statsJson(stats, session));
  else printStats(stats, session);
  noteLog(stats.end, false, session);
  return stats.end;
}

async function showDangers(
  massKeys: number,
  set: AofSet,
  options: Options,
  path: string,
  session: Session,
): Promise<LogPassEnd> {
  const report = await findDangers(set, { ...options, massKeys }, session.context);
  if (session.settings.json) session.report(dangersJson(report, path, session));
  else printDangers(report, path, session);
  noteDangers(report, session);
  noteLog(report.end, false, session);
  return report.end;
}

/** What is asked for, its times not yet settled. */
function requestOf(flags: LogFlags) {
  const { backMs, ...cut } = cutOf(flags);
  const since = timeRequestOf(flags.since, '--since');
  const countsBack = backMs !== null || (since !== null && 'backMs' in since);
  return { cut, backMs, since, conditions: logConditionsOf(flags), countsBack };
}

async function settled(
  { cut, backMs, since, conditions }: ReturnType<typeof requestOf>,
  set: AofSet,
  session: Session,
): Promise<Pick<LogOptions, 'cut' | 'conditions'>> {
  const until = backMs === null ? null : { backMs };
  const [sinceSeconds = null, back = null] = await settleTimes(set, [since, until], session.context);
  const seconds = cut.seconds ?? back;
  const whole: Cut = { ...cut, seconds };
  if (sinceSeconds !== null && seconds !== null && sinceSeconds > seconds) {
    throw new UsageError('--since is later than --until-time: nothing lies between', 'swap the two times');
  }
  return { cut: whole, conditions: { ...conditions, sinceSeconds } };
}

type Print = (entry: LogEntry) => string;

function jsonPrinter(session: Session): Print {
  return (entry) => (entry.kind === 'command' ? commandJson(entry, session) : '');
}

function textPrinter(full: boolean, session: Session): Print {
  const printer = new LogPrinter(session, full ? FULL : SHORT);
  return (entry) => printer.text(entry);
}

type Listing = AsyncGenerator<LogEntry[], LogPassEnd, void>;

async function printAll(listing: Listing, print: Print, session: Session): Promise<LogPassEnd> {
  for (;;) {
    const { value, done } = await listing.next();
    if (done) return value;
    session.print(value.map(print).join(''));
    if (session.full) await session.drain();
  }
}

/** Holds back the last commands until the end is known, the lines about their files and damage with them. */
async function printLast(
  last: number,
  listing: Listing,
  print: Print,
  session: Session,
): Promise<LogPassEnd> {
  let held: LogEntry[] = [];
  for (;;) {
    const { value, done } = await listing.next();
    if (done) {
      session.print(lastOf(held, last).map(print).join(''));
      return value;
    }
    held.push(...value);
    if (value.some(({ kind }) => kind === 'caught-up')) {
      const at = held.findIndex(({ kind }) => kind === 'caught-up');
      session.print([...lastOf(held.slice(0, at), last), ...held.slice(at)].map(print).join(''));
      return printAll(listing, print, session);
    }
    if (held.length > 2 * last + HELD_MIN) held = lastOf(held, last);
  }
}

/** Fewer are not worth sorting out. */
const HELD_MIN = 4096;

/** The last commands, what is wrong, and the file the first of them is in. */
function lastOf(entries: readonly LogEntry[], last: number): LogEntry[] {
  const kept: LogEntry[] = [];
  let commands = 0;
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i]!;
    const isFull = commands === last;
    if (entry.kind === 'command') {
      if (isFull) continue;
      commands++;
    } else if (isFull && entry.kind !== 'finding') {
      if (entry.kind === 'file' && !kept.some(({ kind }) => kind === 'file')) kept.push(entry);
      continue;
    }
    kept.push(entry);
  }
  return kept.reverse();
}

function exitCodeOf({ findings }: LogPassEnd, strict: boolean): number {
  return findings.some((finding) => severityInLog(finding, strict) === 'error') ? 1 : 0;
}
