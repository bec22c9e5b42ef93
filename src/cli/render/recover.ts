import { isAbsolute, join } from 'node:path';
import { endOfPrefix } from '../../tools/recover/content.js';
import type { Durability } from '../../tools/recover/durability.js';
import type { Measured } from '../../tools/recover/measure.js';
import type { ForeseenStart, RecoverPlan } from '../../tools/recover/plan.js';
import type { Part, Way } from '../../tools/recover/ways.js';
import type { Candidate } from '../../tools/recover/weigh.js';
import type { RecoverReport } from '../../tools/recover.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import { messageOf } from './findings.js';
import { count, counted, duration, instant, offset, size } from './numbers.js';
import { durabilityLines } from './recover-durability.js';
import {
  CAUTION_WORDS,
  EFFECT_WORDS,
  KIND_WORDS,
  REASON_WORDS,
  STATE_WORDS,
  UNREAD_WORDS,
  WAY_WORDS,
} from './recover-words.js';

/** The report, as people read it: what is there, what Redis would do, what can be brought back, what to do next. */
export function printRecover(report: RecoverReport, session: Session): void {
  new RecoverText(report, session).print();
}

/** The part of it that tells how things stand: what is there, what Redis would do, what to do next. */
export function printSituation(report: RecoverReport, session: Session): void {
  new RecoverText(report, session).printSituation();
}

class RecoverText {
  constructor(
    private readonly report: RecoverReport,
    private readonly session: Session,
  ) {}

  print(): void {
    this.line(0, `${this.headline()}`);
    this.configuration();
    this.files();
    this.starts();
    this.ways();
    if (this.report.plan !== null) this.plan(this.report.plan);
    this.durability(this.report.durability);
    this.next();
  }

  printSituation(): void {
    this.line(0, this.headline());
    this.configuration();
    this.files();
    this.starts();
    this.next();
  }

  private line(indent: number, text: string): void {
    this.session.print(`${' '.repeat(indent)}${text}\n`);
  }

  private title(text: string): void {
    this.session.print(`\n${this.session.outStyle.bold(text)}\n`);
  }

  private headline(): string {
    const { verdict, path, output, plan } = this.report;
    const { outStyle: style } = this.session;
    const name = printable(path);
    if (output !== null) return style.green(`recovered  ${name} into ${printable(output.path)}`);
    if (verdict === 'nothing') return style.red(`nothing  ${name}: no state can be brought back`);
    if (verdict === 'ready') return style.green(`ready  ${name}: a server loads everything there is`);
    if (verdict === 'doubtful') {
      return style.yellow(
        `doubtful  ${name}: a server loads what is newest, but way ${plan!.fullest} holds far more`,
      );
    }
    const keys = plan!.measured.measure;
    const held = keys === null ? 'a state' : counted(keys.keys, 'key');
    return style.yellow(`recoverable  ${name}: ${this.trouble()}; ${held} can be brought back`);
  }

  /** What is wrong with just starting a server. */
  private trouble(): string {
    const { starts, plan } = this.report;
    const [expected] = starts;
    switch (expected!.outcome) {
      case 'refuses':
        return 'a server refuses to start';
      case 'empty':
        return 'a server would start EMPTY';
      case 'loads-part':
        return expected!.way === plan!.number
          ? 'a server would cut the end of the log in place'
          : 'a server would cut the log';
      case 'loads':
        return expected!.keys === null
          ? 'a server would load less'
          : `a server would load ${counted(expected!.keys, 'key')}`;
    }
  }

  private configuration(): void {
    const { config, effective, basis } = this.report;
    const log = effective.appendOnly
      ? `appendonly yes, appendfsync ${effective.appendFsync}, aof-load-truncated ${effective.aofLoadTruncated ? 'yes' : 'no'}`
      : 'appendonly no';
    if (basis === 'told') this.line(0, `configuration  ${printable(config.path!)}: ${log}`);
    else {
      const why = basis === 'log-there' ? 'a log is there' : 'no log is there';
      const where = config.path === null ? 'no redis.conf found' : `${printable(config.path)} does not say`;
      this.line(0, `configuration  ${where}: ${log} is assumed, because ${why} (--config tells)`);
    }
    for (const { file, line, message } of config.problems) {
      this.line(2, `${printable(file)} line ${line}: ${printable(message)}`);
    }
    for (const each of config.notIncluded) this.line(2, `not read: include ${printable(each)}`);
  }

  private files(): void {
    const { candidates, survey } = this.report;
    this.title('Files');
    if (candidates.length === 0) this.line(2, 'none that may hold data');
    const width = Math.max(0, ...candidates.map(({ name }) => printable(name).length));
    for (const each of candidates) {
      const state = STATE_WORDS[each.state].padEnd(8);
      this.line(2, `${this.painted(each, state)} ${printable(each.name).padEnd(width)}  ${factsOf(each)}`);
      const { damage } = each;
      if (damage !== null) {
        const at = damage.where.offset < 0 ? '' : ` at offset ${offset(damage.where.offset)}`;
        this.line(11, `${damage.code}${at}: ${messageOf(damage, this.session.settings.conceal)}`);
      }
    }
    if (survey.passedOver > 0) this.line(2, `${counted(survey.passedOver, 'other file')} not looked into`);
  }

  private painted({ state }: Candidate, text: string): string {
    const { outStyle: style } = this.session;
    if (state === 'intact') return style.green(text);
    return state === 'damaged' || state === 'unread' ? style.red(text) : style.yellow(text);
  }

  private starts(): void {
    const { outStyle: style } = this.session;
    this.title('What Redis would do');
    for (const start of this.report.starts) {
      const setting = this.settingOf(start);
      const text = this.startText(start);
      const paint =
        start.outcome === 'loads' ? style.green : start.outcome === 'loads-part' ? style.yellow : style.red;
      this.line(2, `${setting}: ${start.expected ? paint(text) : text}`);
      for (const effect of start.effects) this.line(4, `${EFFECT_WORDS[effect]}`);
    }
  }

  private settingOf({ appendOnly, aofLoadTruncated, expected }: ForeseenStart): string {
    const truncated = aofLoadTruncated === this.report.effective.aofLoadTruncated;
    const more = truncated ? '' : `, aof-load-truncated ${aofLoadTruncated ? 'yes' : 'no'}`;
    return `${expected ? 'as configured' : 'otherwise'}, appendonly ${appendOnly ? 'yes' : 'no'}${more}`;
  }

  private startText(start: ForeseenStart): string {
    const at = start.offset === null ? '' : ` at offset ${offset(start.offset)}`;
    const words = REASON_WORDS[start.reason]
      .replace('{file}', printable(start.file ?? ''))
      .replace('{at}', at);
    if (start.outcome === 'empty' || start.outcome === 'refuses') return words;
    const keys = start.keys === null ? '' : `: ${counted(start.keys, 'key')}`;
    return `${words}${keys}`;
  }

  private ways(): void {
    const { ways, plan } = this.report;
    if (ways.length === 0) return;
    this.title('What can be brought back, the best first');
    const firstSalvage = ways.findIndex(({ way }) => !way.existed);
    ways.forEach((measured, i) => {
      if (i === firstSalvage)
        this.line(2, 'and, though no server ever held exactly that, everything that reads:');
      const mark = plan?.number === i + 1 ? '*' : ' ';
      this.line(1, `${mark}${i + 1}  ${this.wayText(measured)}`);
      this.line(5, this.wayFacts(measured));
    });
  }

  private wayText({ way }: Measured): string {
    const name =
      way.kind === 'rdb' || way.kind === 'single-log' ? ` ${printable(way.parts[0]!.candidate.name)}` : '';
    return `${WAY_WORDS[way.kind]}${name}${extentOf(way)}`;
  }

  private wayFacts(measured: Measured): string {
    const { way, measure } = measured;
    const past =
      measure === null || measure.expired === 0 ? '' : ` (${count(measure.expired)} past their TTL)`;
    const keys = measure === null ? 'keys not counted' : `${counted(measure.keys, 'key')}${past}`;
    const commands = way.commands === 0 ? '' : `, ${counted(way.commands, 'command')}`;
    const same = this.sameAs(measured);
    return `${keys}${commands}${newestText(way)}${same === 0 ? '' : `; the same state as ${same}`}`;
  }

  /** Number of an earlier way to the same state. */
  private sameAs({ way, measure }: Measured): number {
    if (measure === null) return 0;
    const { ways } = this.report;
    const first = ways.findIndex((each) => each.measure?.digest === measure.digest);
    return ways[first]!.way === way ? 0 : first + 1;
  }

  private plan(plan: RecoverPlan): void {
    const { loss, way, measured, number } = plan;
    this.title(`The plan: way ${number}`);
    for (const part of way.parts) this.line(2, partText(part));
    if (!way.existed) {
      this.line(
        2,
        'damaged places are left out and what follows them is kept: no server ever held exactly this',
      );
    }
    if (measured.measure !== null) this.line(2, `digest ${measured.measure.digest}`);
    if (loss.ranges.length === 0 && way.kind !== 'rdb') this.line(2, 'loses nothing that the files hold');
    for (const { file, from, to, commands } of loss.ranges) {
      const held = commands === null || commands === 0 ? '' : `, at least ${counted(commands, 'command')}`;
      this.line(
        2,
        `loses ${counted(to - from, 'byte')} of ${printable(file)}, from offset ${offset(from)}${held}`,
      );
    }
    if (way.kind === 'rdb') this.snapshotLoss(plan);
    for (const caution of plan.cautions)
      this.line(2, `${this.session.outStyle.yellow('mind')} ${CAUTION_WORDS[caution]}`);
  }

  private snapshotLoss({ loss }: RecoverPlan): void {
    const { sinceMs, untilMs, unused } = loss;
    if (sinceMs !== null) {
      const span =
        untilMs !== null && untilMs - sinceMs > 1000
          ? ` (up to ${duration(untilMs - sinceMs)} of writes)`
          : '';
      this.line(2, `loses every write after ${instant(sinceMs)}${span}`);
    }
    for (const name of unused) this.line(2, `leaves aside the log ${printable(name)}`);
  }

  private durability(durability: Durability): void {
    this.title('What the crash itself can have cost');
    for (const text of durabilityLines(durability)) this.line(2, text);
  }

  private next(): void {
    this.title('What to do');
    if (this.report.output !== null) this.afterwards();
    else this.advice();
  }

  private advice(): void {
    const { plan, verdict, starts } = this.report;
    const [expected] = starts;
    if (verdict === 'ready') {
      this.line(2, 'start the server as it is configured: nothing needs to be recovered');
    } else if (plan === null) {
      this.nothing();
    } else if (verdict === 'doubtful') {
      this.line(
        2,
        'if those keys were deleted on purpose, start the server as it is configured; if not, run',
      );
      this.command(` --way ${plan.fullest}`);
    } else if (expected!.way === plan.number && !expected!.effects.includes('leaves-open-multi')) {
      this.line(
        2,
        'a server loads the same by itself; to leave these files as they are, keep it stopped and run',
      );
      this.command('');
    } else {
      this.line(2, 'keep the server stopped, and run');
      this.command(plan.number === 1 ? '' : ` --way ${plan.number}`);
      const more = plan.way.existed && this.report.ways.some(({ way }) => !way.existed);
      if (more)
        this.line(
          2,
          'or the same with --strategy skip, for everything that reads instead of a state that was',
        );
    }
  }

  private nothing(): void {
    const { ways } = this.report;
    this.line(2, 'look for a backup or a replica; do not start a server here meanwhile');
    if (ways.length === 0) return;
    this.line(2, 'for what still reads, damaged places left out, run');
    this.command(' --strategy skip');
  }

  /** The command that carries the plan out. */
  private command(choice: string): void {
    const { path, config } = this.report;
    const isInside = config.path === null || config.path.startsWith(path);
    const told = isInside ? '' : ` --config ${quoted(config.path)}`;
    const out = quoted(`${path.replace(/\/+$/, '')}-recovered`);
    this.line(4, `rekindle recover ${quoted(path)}${told}${choice} --out ${out}`);
  }

  private afterwards(): void {
    const { output, effective } = this.report;
    const { path, shape, files, digest, keys, backupPath, owned } = output!;
    for (const { name, bytes } of files)
      this.line(2, `wrote ${printable(join(path, name))} (${size(bytes)})`);
    if (digest !== '') this.line(2, `read back: ${counted(keys, 'key')}, digest ${digest}`);
    if (backupPath !== null) this.line(2, `what stood there is now ${printable(backupPath)}`);
    if (!owned) this.line(2, 'the files belong to you: give them to the user of the server (chown -R)');
    if (output!.lostCount > 0)
      this.line(2, `${counted(output!.lostCount, 'thing')} had no place in the snapshot (--json lists them)`);
    const log = shape.log === 'none' ? 'no' : 'yes';
    const names = [
      effective.appendFilename === 'appendonly.aof'
        ? ''
        : ` --appendfilename ${quoted(effective.appendFilename)}`,
      effective.appendDirname === 'appendonlydir'
        ? ''
        : ` --appenddirname ${quoted(effective.appendDirname)}`,
      effective.dbFilename === 'dump.rdb' ? '' : ` --dbfilename ${quoted(effective.dbFilename)}`,
    ].join('');
    const dir = isAbsolute(path) ? quoted(path) : `"$PWD"/${quoted(path)}`;
    this.line(2, 'start a server on it, or move it where your server expects its files');
    this.line(4, `redis-server --dir ${dir} --appendonly ${log}${names}`);
  }
}

function extentOf(way: Way): string {
  const right =
    way.corrected === 0 ? '' : `, ${counted(way.corrected, 'byte')} put right as its checksum proves`;
  if (!way.existed) return `, without its damaged places${right}`;
  if (way.missing.length > 0) return `, up to the file that is missing${right}`;
  return way.damage === null ? right : `, up to the first damage${right}`;
}

function partText({ candidate, content }: Part): string {
  const name = printable(candidate.name);
  const { left, corrected } = content;
  const right = corrected === 0 ? '' : `, ${counted(corrected, 'byte')} put right as its checksum proves`;
  if (left.length === 0) return `${name}: all ${size(candidate.bytes)}${right}`;
  const end = endOfPrefix(content);
  const taken = end ?? candidate.bytes - left.reduce((sum, { from, to }) => sum + to - from, 0);
  return `${name}: ${end === null ? '' : 'the first '}${count(taken)} of ${count(candidate.bytes)} bytes${right}`;
}

/** As a shell reads it back. */
function quoted(text: string): string {
  const shown = printable(text);
  return /^[\w@%+=:,./$-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}

function factsOf(file: Candidate): string {
  if (file.unread !== null) return `${KIND_WORDS[file.kind]}; ${UNREAD_WORDS[file.unread]}`;
  const facts = [KIND_WORDS[file.kind], size(file.bytes)];
  if (file.hasRdb) facts.push(`RDB of ${counted(file.rdbKeys ?? 0, 'key')}`);
  if (file.commands > 0) facts.push(counted(file.commands, 'command'));
  if (file.savedAtMs !== null) facts.push(`saved ${instant(file.savedAtMs)}`);
  const written = Math.floor(file.modifiedMs / 1000) * 1000;
  if (file.lastTimeMs !== null) facts.push(`written up to ${instant(file.lastTimeMs)}`);
  else if (file.savedAtMs !== written) facts.push(`written ${instant(written)}`);
  return facts.join(', ');
}

function newestText({ newest }: Way): string {
  if (newest === null) return '';
  const time = instant(Math.floor(newest.ms / 1000) * 1000);
  switch (newest.by) {
    case 'annotation':
      return `, last write at ${time}`;
    case 'saved':
      return `, saved at ${time}`;
    case 'modified':
      return `, last write at ${time} by the time of the file`;
    case 'estimated':
      return `, last write about ${time} (estimated)`;
  }
}
