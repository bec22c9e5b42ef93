import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { longAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { momentOf } from './deadline.js';
import type { CommandRow } from './row.js';

/** Commands that set and take away the expiry of a key. A moment in the past is set like any other. */
export const expiryCommands: readonly CommandRow[] = [
  { name: 'EXPIRE', arity: -3, apply: (engine, command) => expire(engine, command, 1000, false) },
  { name: 'PEXPIRE', arity: -3, apply: (engine, command) => expire(engine, command, 1, false) },
  { name: 'EXPIREAT', arity: -3, apply: (engine, command) => expire(engine, command, 1000, true) },
  { name: 'PEXPIREAT', arity: -3, apply: (engine, command) => expire(engine, command, 1, true) },
  { name: 'PERSIST', arity: -2, apply: persist },
];

/** The millisecond before 1970 is what servers mean by none. */
const NO_EXPIRY = -1;

/** The conditions that stand from some argument on. */
const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;

function expire(engine: Engine, command: CommandSpans, unitMs: number, absolute: boolean): Outcome {
  let conditions = 0;
  for (let i = 3; i < command.argc; i++) {
    if (command.is(i, 'NX')) conditions |= NX;
    else if (command.is(i, 'XX')) conditions |= XX;
    else if (command.is(i, 'GT')) conditions |= GT;
    else if (command.is(i, 'LT')) conditions |= LT;
    else return engine.fail(`ERR Unsupported option ${command.latin1(i)}`);
  }
  if ((conditions & NX) !== 0 && conditions !== NX) {
    return engine.fail('ERR NX and XX, GT or LT options at the same time are not compatible');
  }
  if ((conditions & GT) !== 0 && (conditions & LT) !== 0) {
    return engine.fail('ERR GT and LT options at the same time are not compatible');
  }
  const units = longAt(command, 2);
  if (units === null) return engine.notInteger();
  const when = momentOf(engine, units, unitMs, absolute);
  if (when === null)
    return engine.fail(`ERR invalid expire time in '${command.latin1(0).toLowerCase()}' command`);
  const { db } = engine;
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  const has = db.hasExpiry(entry);
  if ((conditions & NX) !== 0 && has) return APPLIED;
  if ((conditions & XX) !== 0 && !has) return APPLIED;
  if ((conditions & GT) !== 0 && (!has || when <= db.expiryAt(entry))) return APPLIED;
  if ((conditions & LT) !== 0 && has && when >= db.expiryAt(entry)) return APPLIED;
  if (when === NO_EXPIRY) db.clearExpiry(entry);
  else db.setExpiry(entry, when);
  return APPLIED;
}

/** PERSIST key, and in KeyDB PERSIST key member; without a member KeyDB lets all members stay, too. */
function persist(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  if (argc > 2 && (engine.product !== 'keydb' || argc > 3)) return engine.wrongArity('persist');
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  const { db } = engine;
  if (argc === 3) {
    db.memberExpiries.delete(entry, command.latin1(2));
  } else {
    db.clearExpiry(entry);
    db.memberExpiries.forget(entry);
  }
  return APPLIED;
}
