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
import type { Session } from '../session.js';
import { printable } from './escape.js';
import { messageOf, problemJson } from './findings.js';
import type { Json } from './json.js';
import { count, counted, offset, size } from './numbers.js';

/** One run of the command. */
export interface RepairView {
  /** As it was asked for. */
  readonly path: string;
  readonly plan: RepairPlan;
  readonly chosen: StrategyPlan;
  /** Null when nothing was to be done. */
  readonly report: RepairReport | null;
  readonly flags: { readonly partial: boolean; readonly doubtful: boolean };
}

const STRATEGY_WORDS: Readonly<Record<StrategyName, string>> = {
  truncate: 'keep everything up to the first damage: a state that really existed',
  skip: 'drop only what is damaged and keep what follows, which may have built on what is gone',
  salvage: 'every key that still reads goes into a fresh file',
};

const OBSTACLE_WORDS: Readonly<Record<Obstacle, string>> = {
  'base-damaged':
    'the RDB that the log builds on is damaged, and its keys stand in no order of time: nothing before the damage is a state that existed',
  'base-missing': 'the file that the log builds on is not there: what the rest led to cannot be told',
  'nothing-before': 'nothing stands before the damage',
  'nothing-left': 'no file would be left',
};

const REFUSAL_WORDS: Readonly<Record<Refusal, string>> = {
  obstacle: 'this strategy cannot be carried out',
  'max-loss': 'it would lose more than --max-loss allows',
  'not-clean': 'what was made of it does not check clean (please report this)',
};

const ACTION_WORDS: Readonly<Record<ActionKind, string>> = {
  truncate: 'cut off',
  drop: 'drop',
  'drop-transaction': 'drop a transaction of',
  'drop-doubtful': 'drop what may be the content of a value in',
  'drop-duplicate': 'drop keys that come twice in',
  correct: 'put a byte right in',
  'drop-trailing': 'drop trailing bytes of',
  'rewrite-header': 'make the start anew of',
  'drop-annotation': 'drop the torn annotation of',
  'leave-out': 'leave out all of',
  'forget-missing': 'take out of the manifest',
  'rewrite-trailer': 'make the checksum anew of',
  'keep-partly': 'keep partly',
  'rebuild-manifest': 'write anew',
};

/** What is wrong and what each way out costs. */
export function printPlan(view: RepairView, session: Session): void {
  const { plan, path } = view;
  const { outStyle: style } = session;
  if (plan.intact) {
    session.print(`${style.green('intact')}: ${printable(path)}: nothing to repair\n`);
    return;
  }
  printDamage(plan, session);
  for (const strategy of plan.strategies) printStrategy(strategy, session);
  if (session.settings.quiet) return;
  session.print('\nNothing was changed. To repair it into a new place, or where it stands with a backup:\n');
  const usable = plan.strategies.filter(({ obstacle }) => obstacle === null);
  for (const { name } of usable) {
    const flag = name === 'skip' ? ' --strategy skip' : '';
    session.print(`  rekindle repair ${printable(path)}${flag} --out NEW\n`);
  }
  const [first] = usable;
  if (first !== undefined) {
    const flag = first.name === 'skip' ? ' --strategy skip' : '';
    session.print(`  rekindle repair ${printable(path)}${flag} --in-place\n`);
  }
}

/** Every finding once, whichever strategies act on it. */
function damageOf(plan: RepairPlan): Finding[] {
  const found = new Map<string, Finding>();
  for (const { actions } of plan.strategies) {
    for (const { because } of actions) {
      if (because === null) continue;
      found.set(`${because.where.file}:${because.where.offset}:${because.code}`, because);
    }
  }
  return [...found.values()];
}

const DAMAGE_SHOWN = 10;

function printDamage(plan: RepairPlan, session: Session): void {
  const { outStyle: style, settings } = session;
  const damage = damageOf(plan);
  session.print(`${style.red('damaged')}: ${counted(damage.length, 'place')}\n`);
  for (const finding of damage.slice(0, DAMAGE_SHOWN)) {
    const { file, offset: at } = finding.where;
    const place = at < 0 ? '' : ` at offset ${offset(at)}`;
    session.print(`  ${style.bold(printable(file))}${place}: ${finding.code}\n`);
    session.print(`    ${messageOf(finding, settings.conceal)}\n`);
  }
  if (damage.length > DAMAGE_SHOWN) {
    session.print(`  and ${count(damage.length - DAMAGE_SHOWN)} more (--json lists all)\n`);
  }
}

function printStrategy(strategy: StrategyPlan, session: Session): void {
  const { outStyle: style } = session;
  const { name, obstacle, actions } = strategy;
  const flag = name === 'salvage' ? 'salvage' : `--strategy ${name}`;
  const standard = name === 'truncate' ? ' (default)' : '';
  session.print(`\n${style.bold(flag)}${standard}: ${STRATEGY_WORDS[name]}\n`);
  if (obstacle !== null) {
    session.print(`  ${style.red('cannot be done')}: ${OBSTACLE_WORDS[obstacle]}\n`);
    return;
  }
  session.print(`  ${costText(strategy)}\n`);
  const shown = actions.slice(0, DAMAGE_SHOWN);
  for (const action of shown) session.print(`    ${actionText(action)}\n`);
  if (actions.length > shown.length) {
    session.print(`    and ${count(actions.length - shown.length)} more (--json lists all)\n`);
  }
}

/** `loses 1,618 bytes, 12 commands; how many keys cannot be told`. */
function costText({ lostBytes, lostCommands, lostKeys, name }: StrategyPlan): string {
  if (lostBytes === 0 && lostCommands === 0 && lostKeys === 0) return 'loses nothing';
  const parts = [counted(lostBytes, 'byte')];
  const unknown: string[] = [];
  if (name !== 'salvage') {
    if (lostCommands === null) unknown.push('commands');
    else parts.push(counted(lostCommands, 'command'));
  } else if (lostKeys === null) {
    unknown.push('keys');
  } else {
    parts.push(counted(lostKeys, 'key'));
  }
  const rest = unknown.length > 0 ? `; how many ${unknown.join(' and ')} cannot be told` : '';
  return `loses ${parts.join(', ')}${rest}`;
}

function actionText(action: RepairAction): string {
  const { kind, from, to, lostCommands, lostKeys, lostBytes } = action;
  const name = printable(basename(action.file));
  const bytes = to > from ? ` from ${count(from)} to ${count(to)}` : '';
  const cost: string[] = [];
  if (lostBytes > 0) cost.push(counted(lostBytes, 'byte'));
  if (lostCommands !== null && lostCommands > 0) cost.push(counted(lostCommands, 'command'));
  if (lostKeys !== null && lostKeys > 0) cost.push(counted(lostKeys, 'key'));
  const range = kind === 'rebuild-manifest' || kind === 'forget-missing' ? '' : bytes;
  return `${ACTION_WORDS[kind]} ${name}${range}${cost.length > 0 ? `: ${cost.join(', ')}` : ''}`;
}

/** What was done. */
export function printRepair(report: RepairReport, session: Session): void {
  const { outStyle: style } = session;
  const { plan, chosen, refusal, output } = report;
  if (refusal !== null) {
    printDamage(plan, session);
    printStrategy(chosen, session);
    session.print(`\n${style.red('not repaired')}: ${REFUSAL_WORDS[refusal]}; nothing was written\n`);
    for (const finding of report.faults.slice(0, DAMAGE_SHOWN)) {
      session.print(`  ${printable(finding.where.file)}: ${finding.code}\n`);
    }
    const other = plan.strategies.find(({ name, obstacle }) => name !== chosen.name && obstacle === null);
    if (refusal === 'obstacle' && other !== undefined) {
      session.print(`  --strategy ${other.name} ${costText(other)}\n`);
    }
    return;
  }
  if (plan.intact) {
    session.print(`${style.green('intact')}: nothing to repair\n`);
  } else {
    printDamage(plan, session);
    printStrategy(chosen, session);
  }
  if (output !== null) {
    const verb = plan.intact ? 'copied' : 'repaired';
    session.print(`\n${style.green(verb)}: ${printable(output)}, checked\n`);
  }
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
  const { conceal } = session.settings;
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
      ...problemJson(finding, conceal, 'error'),
    })),
    backups: (report?.backups ?? []).map(({ path, sha256 }) => ({ path, sha256 })),
    quarantine: quarantineJson(report),
    leftBehind: [...(report?.staged?.leftBehind ?? [])],
    notOwned: [...(report?.staged?.notOwned ?? [])],
    notChecked: [],
  };
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
