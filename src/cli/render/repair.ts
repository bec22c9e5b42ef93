import { basename } from 'node:path';
import type { Finding } from '../../model/finding.js';
import type {
  ActionKind,
  Obstacle,
  RepairAction,
  StrategyName,
  StrategyPlan,
} from '../../tools/repair/plan.js';
import type { Refusal, RepairPlan, RepairReport } from '../../tools/repair.js';
import type { NotChecked } from '../../tools/report.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import { messageOf, problemJson } from './findings.js';
import type { Json } from './json.js';
import { notCheckedJson } from './not-checked.js';
import { count, counted, offset, size } from './numbers.js';

/** One run of the command. */
export interface RepairView {
  /** As it was asked for. */
  readonly path: string;
  readonly plan: RepairPlan;
  readonly chosen: StrategyPlan;
  /** Null when nothing was to be done. */
  readonly report: RepairReport | null;
  readonly maxLossBytes: number | null;
}

const STRATEGY_WORDS: Readonly<Record<StrategyName, string>> = {
  truncate: 'keeps everything up to the first damage: a state that really existed',
  skip: 'keeps what follows the damage too, though it may have built on what is gone',
  salvage: 'every key that still reads, in a fresh file',
};

const OBSTACLE_WORDS: Readonly<Record<Obstacle, string>> = {
  'base-damaged':
    'the log builds on an RDB that is damaged; its keys stand in no order of time, so nothing up to the damage is a state that existed',
  'base-missing': 'the file that the log builds on is not there, so what the rest led to is not known',
  'nothing-before': 'nothing stands before the damage',
  'nothing-left': 'nothing in it can be read',
};

const ACTION_WORDS: Readonly<Record<ActionKind, string>> = {
  truncate: 'cut off',
  drop: 'drop',
  'drop-transaction': 'drop a transaction that was never ended, so never took effect,',
  'drop-marker': 'drop a MULTI or EXEC without its counterpart',
  'drop-doubtful': 'drop what may only be the content of a value',
  'drop-duplicate': 'drop keys whose names stood before',
  correct: 'put a byte right, as the checksum shows what it was,',
  'drop-trailing': 'drop bytes behind the end',
  'drop-annotation': 'drop an annotation without its line end',
  'leave-out': 'leave out the whole file',
  'forget-missing': 'take it out of the manifest: it is not there',
  'rewrite-header': 'make the first bytes anew',
  'rewrite-trailer': 'make the end mark and checksum anew',
  'keep-partly': 'keep what reads of a value',
  'rebuild-manifest': 'write it anew from the files',
};

const LISTED = 10;

/** What is wrong and what each way out costs. */
export function printPlan(view: RepairView, session: Session): void {
  const { plan, path } = view;
  const { outStyle: style } = session;
  if (plan.intact) {
    session.print(`${style.green('intact')}: ${printable(path)}: nothing to repair\n`);
    return;
  }
  printDamage(plan, session);
  const strategies = sameOutcome(plan) ? plan.strategies.slice(0, 1) : plan.strategies;
  session.print('\n');
  const several = strategies.length > 1;
  for (const strategy of strategies) {
    const head = several ? `  ${style.bold(title(strategy.name).padEnd(20))}` : '  ';
    printCost(strategy, head, several, session);
  }
  for (const strategy of strategies) printActions(strategy, several, session);
  if (!session.settings.quiet) printNext(view, strategies, session);
}

/** True when it does not matter which strategy is taken. */
function sameOutcome({ strategies }: RepairPlan): boolean {
  const told = strategies.map(({ actions, obstacle }) => JSON.stringify([obstacle, actions]));
  return told.every((each) => each === told[0]);
}

/** The damage found, once whichever strategies act on it. */
function damageOf(plan: RepairPlan): Finding[] {
  const found = new Map<string, Finding>();
  for (const { because } of plan.strategies.flatMap(({ actions }) => actions)) {
    if (because === null) continue;
    found.set(`${because.where.file}:${because.where.offset}:${because.code}`, because);
  }
  return [...found.values()];
}

function printDamage(plan: RepairPlan, session: Session): void {
  const { outStyle: style, settings } = session;
  const damage = damageOf(plan);
  session.print(`${style.red('damaged')}: ${counted(damage.length, 'place')}\n`);
  for (const finding of damage.slice(0, LISTED)) {
    const { file, offset: at } = finding.where;
    const place = at < 0 ? '' : ` at offset ${offset(at)}`;
    session.print(`  ${style.bold(printable(file))}${place}: ${finding.code}\n`);
    session.print(`    ${messageOf(finding, settings.conceal)}\n`);
  }
  if (damage.length > LISTED)
    session.print(`  and ${count(damage.length - LISTED)} more (--json lists all)\n`);
}

const title = (name: StrategyName): string => (name === 'truncate' ? 'truncate (default)' : name);

/** One line a strategy, so that they can be compared. */
function printCost(strategy: StrategyPlan, head: string, explained: boolean, session: Session): void {
  const { outStyle: style } = session;
  const { name, obstacle } = strategy;
  if (obstacle !== null) {
    session.print(`${head}${style.red('not possible')}: ${OBSTACLE_WORDS[obstacle]}\n`);
    return;
  }
  const words = explained || name === 'salvage' ? `; ${STRATEGY_WORDS[name]}` : '';
  session.print(`${head}${costText(strategy)}${words}\n`);
}

/** `loses 1,618 bytes, at least 12 commands`. */
function costText({ lostBytes, lostCommands, lostKeys, name, actions }: StrategyPlan): string {
  const missing = actions.filter(({ kind }) => kind === 'forget-missing').length;
  const parts = lostBytes > 0 ? [counted(lostBytes, 'byte')] : [];
  if (missing > 0) parts.push(`what ${missing === 1 ? 'a missing file' : `${missing} missing files`} held`);
  const isLog = name !== 'salvage';
  if (isLog && lostCommands !== null && lostCommands > 0) {
    parts.push(`at least ${counted(lostCommands, 'command')}`);
  }
  const keys = actions.reduce((sum, action) => sum + (action.lostKeys ?? 0), 0);
  if (keys > 0) parts.push(`at least ${counted(keys, 'key')}`);
  else if (!isLog && lostKeys === null) parts.push('nobody can tell how many keys');
  if (actions.some(({ because, kind }) => kind === 'rewrite-trailer' && because?.code === 'rdb/truncated')) {
    parts.push('whatever stood behind the end of the file');
  }
  return parts.length === 0 ? 'loses nothing' : `loses ${parts.join(', ')}`;
}

function printActions(strategy: StrategyPlan, named: boolean, session: Session): void {
  const { name, obstacle, actions } = strategy;
  if (obstacle !== null) return;
  session.print(named ? `\n${session.outStyle.bold(title(name))}:\n` : '\n');
  for (const action of actions.slice(0, LISTED)) session.print(`  ${actionText(action, session)}\n`);
  if (actions.length > LISTED)
    session.print(`  and ${count(actions.length - LISTED)} more (--json lists all)\n`);
  for (const line of doubtLines(strategy)) session.print(`  ${line}\n`);
}

function actionText(action: RepairAction, session: Session): string {
  const { kind, from, to, lostCommands, lostKeys, lostBytes, because } = action;
  const isRange = lostBytes > 0 && kind !== 'leave-out';
  const range = isRange ? ` ${count(from)} to ${count(to)}` : kind === 'correct' ? ` at ${offset(from)}` : '';
  const cost: string[] = [];
  if (lostBytes > 0) cost.push(counted(lostBytes, 'byte'));
  if (lostCommands !== null && lostCommands > 0) cost.push(counted(lostCommands, 'command'));
  if (lostKeys !== null && lostKeys > 1) cost.push(counted(lostKeys, 'key'));
  const key = because?.where.key;
  if (key !== undefined) cost.push(`key ${session.shown(key)} in database ${because?.where.database ?? 0}`);
  const text = `${printable(basename(action.file))}: ${ACTION_WORDS[kind].replace(/,$/, range === '' ? '' : ',')}${range}`;
  return cost.length > 0 ? `${text}: ${cost.join(', ')}` : text;
}

/** What is kept and not certain, or left out and might be kept. */
function doubtLines({ doubts, name }: StrategyPlan): string[] {
  const { unprovenKeys, doubtful, doubtfulKept, guessedDatabases, partialKeys } = doubts;
  const { brokenTransactions, brokenCommands } = doubts;
  const lines: string[] = [];
  if (unprovenKeys > 0) {
    lines.push(
      `${counted(unprovenKeys, 'key')} ${unprovenKeys === 1 ? 'is' : 'are'} whole, not proven: the checksum does not match, so bytes inside values may have changed unseen`,
    );
  }
  if (doubtful > 0) {
    const what = doubtfulKept ? 'kept, as --doubtful asks' : 'left out; --doubtful keeps them';
    lines.push(`${counted(doubtful, 'record')} may only be the content of a value: ${what}`);
  }
  if (guessedDatabases > 0) {
    // Of a log, those of its base are keys and those behind it commands.
    const what =
      name === 'salvage' ? counted(guessedDatabases, 'key') : `${guessedDatabases} keys or commands`;
    lines.push(`the database of ${what} is a guess: what selected it may be lost`);
  }
  if (brokenTransactions > 0) {
    const whole = brokenTransactions === 1 ? 'is' : 'are';
    lines.push(
      `${counted(brokenTransactions, 'transaction')} ${whole} no longer whole: ${counted(brokenCommands, 'command')} of what it held ${brokenCommands === 1 ? 'is' : 'are'} kept`,
    );
  }
  if (partialKeys > 0)
    lines.push(`${counted(partialKeys, 'damaged value')} can be kept in part with --partial`);
  return lines;
}

function printNext({ path }: RepairView, strategies: readonly StrategyPlan[], session: Session): void {
  const usable = strategies.filter(({ obstacle }) => obstacle === null);
  if (usable.length === 0) {
    session.print(
      '\nNothing was changed. Look for another copy: a backup, a replica, the other dataset of the directory.\n',
    );
    return;
  }
  session.print('\nNothing was changed. To write a repaired copy:\n');
  const shown = session.sources.of(path);
  for (const { name } of usable) {
    session.print(`  rekindle repair ${shown}${name === 'skip' ? ' --strategy skip' : ''} --out NEW\n`);
  }
  session.print(
    'With --in-place instead of --out NEW it is repaired where it stands, once a backup stands beside each changed file.\n',
  );
}

/** What was done. */
export function printRepair(view: RepairView, report: RepairReport, session: Session): void {
  const { outStyle: style } = session;
  const { plan, chosen, refusal, output } = report;
  if (!plan.intact) {
    printDamage(plan, session);
    session.print('\n');
    const { name } = chosen;
    printCost(chosen, name === 'salvage' ? '  ' : `  ${style.bold(name)} `, false, session);
    printActions(chosen, false, session);
    session.print('\n');
  }
  if (refusal !== null) {
    session.print(`${style.red('not repaired')}: ${refusalText(view, report, refusal)}\n`);
    for (const finding of report.faults.slice(0, LISTED)) {
      session.print(`  ${printable(finding.where.file)}: ${finding.code}\n`);
    }
    return;
  }
  if (output === null) return;
  const verb = plan.intact ? 'intact, copied as it is' : 'repaired';
  session.print(`${style.green(verb)}: ${printable(output)} (checked)\n`);
}

function refusalText({ maxLossBytes }: RepairView, { plan, chosen }: RepairReport, refusal: Refusal): string {
  if (refusal === 'not-clean')
    return 'what was made of it does not check clean, please report this; nothing was written';
  if (refusal === 'max-loss') {
    return `it ${costText(chosen)}, more than --max-loss ${count(maxLossBytes ?? 0)} allows; nothing was written`;
  }
  const other = plan.strategies.find(({ name, obstacle }) => name !== chosen.name && obstacle === null);
  const instead = other === undefined ? '' : `; --strategy ${other.name} ${costText(other)}`;
  return `this way is not possible${instead}; nothing was written`;
}

/** What must be known beside the result, on standard error. */
export function noteRepair({ report }: RepairView, session: Session): void {
  if (report === null) return;
  const { quarantine, staged, backups } = report;
  for (const { path, sha256 } of backups) session.note(`backup: ${printable(path)} (SHA-256 ${sha256})`);
  if (quarantine !== null) {
    session.note(
      `quarantine: ${printable(quarantine.path)}, ${size(quarantine.bytes)}; ${printable(quarantine.indexPath)} says where they were`,
    );
  }
  if (staged === null || report.refusal !== null) return;
  if (staged.backupPath !== null) session.note(`what stood there is now ${printable(staged.backupPath)}`);
  if (staged.leftBehind.length > 0) {
    session.note(`not carried over: ${staged.leftBehind.map(printable).join(', ')}`);
  }
  if (staged.notOwned.length > 0) {
    session.warn(
      `${counted(staged.notOwned.length, 'file')} could not be given to the owner of the original: only root may`,
    );
    session.note('  try: chown them to the user the server runs as before it is started');
  }
}

/** The JSON fields of cli.md, and more. */
export function repairJson(view: RepairView, session: Session): Readonly<Record<string, Json>> {
  const { plan, chosen, report } = view;
  const done = report !== null && report.refusal === null;
  return {
    ok: plan.intact || done,
    path: view.path,
    intact: plan.intact,
    strategy: chosen.name,
    actions: chosen.actions.map(actionJson),
    output: report?.output ?? null,
    refusal: report?.refusal ?? null,
    strategies: plan.strategies.map((strategy) => ({
      name: strategy.name,
      possible: strategy.obstacle === null,
      obstacle: strategy.obstacle,
      lostBytes: strategy.lostBytes,
      lostCommands: strategy.lostCommands,
      lostKeys: strategy.lostKeys,
      ...strategy.doubts,
      actions: strategy.actions.map(actionJson),
    })),
    problems: [...damageOf(plan), ...(report?.faults ?? [])].map((finding) => ({
      file: finding.where.file,
      ...problemJson(finding, session, { severity: 'error' }),
    })),
    backups: (report?.backups ?? []).map(({ path, sha256 }) => ({ path, sha256 })),
    quarantine: quarantineJson(report),
    leftBehind: [...(report?.staged?.leftBehind ?? [])],
    notOwned: [...(report?.staged?.notOwned ?? [])],
    notChecked: notCheckedJson(notCheckedOf(view)),
  };
}

/** What nobody has looked at, in the damaged dataset or in what was made of it. */
function notCheckedOf({ path, plan, chosen }: RepairView): NotChecked[] {
  const { unprovenKeys } = chosen.doubts;
  const list: NotChecked[] = [];
  if (plan.source.kind === 'aof') {
    const why = 'they are not executed; `rekindle replay` does';
    list.push({ path, what: 'effect of commands', why, routine: true });
  }
  if (unprovenKeys > 0) {
    const why = 'the checksum does not match, and a changed byte inside a text is not seen otherwise';
    list.push({ path, what: `texts inside ${counted(unprovenKeys, 'key')}`, why, routine: false });
  }
  return list;
}

function actionJson(action: RepairAction): Json {
  const { file, kind, from, to, lostBytes, lostCommands, lostKeys, because } = action;
  return { file, kind, from, to, lostBytes, lostCommands, lostKeys, because: because?.code ?? null };
}

function quarantineJson(report: RepairReport | null): Json {
  const quarantine = report?.quarantine ?? null;
  if (quarantine === null) return null;
  const { path, indexPath, bytes, sha256, ranges } = quarantine;
  return { path, indexPath, bytes, sha256, ranges: ranges.map((range) => ({ ...range })) };
}
