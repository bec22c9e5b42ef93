import { parseLongDouble } from '../../kernels/long-double.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { indexAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import type { CommandRow } from './row.js';

/** How a kind of collection gives up what stands at its ends. */
export interface Ends {
  /** Number of the kind as in forms.ts. */
  readonly kind: number;
  /** The words for the ends in LMPOP and ZMPOP, upper case. */
  readonly first: string;
  readonly last: string;
  /** Takes `count` elements, all when there are fewer; the key goes with its last one. */
  drop(engine: Engine, entry: number, count: number, fromFirst: boolean): void;
}

/** A command that would wait, its timeout at argument `at`, from the end when negative: a bad one is refused. */
export function waiting(at: number, apply: CommandRow['apply']): CommandRow['apply'] {
  return (engine, command) => {
    const seconds = command.latin1(at < 0 ? command.argc + at : at);
    if (parseLongDouble(seconds) === null || !(Number.parseFloat(seconds) <= TIMEOUT_MAX)) {
      return engine.fail('ERR timeout is not a float or out of range');
    }
    return Number.parseFloat(seconds) < 0 ? engine.fail('ERR timeout is negative') : apply(engine, command);
  };
}

/** In seconds: more is no number of milliseconds any more. */
const TIMEOUT_MAX = 2 ** 63 / 1000;

/** BLPOP, BZPOPMIN and the like: one element of the first key there is; the last argument is a timeout. */
export function popFirst(engine: Engine, command: CommandSpans, ends: Ends, fromFirst: boolean): Outcome {
  return dropFirst(engine, command, ends, 1, command.argc - 1, 1, fromFirst);
}

/** LMPOP, ZMPOP and their blocking forms; the number of keys is argument `at`. */
export function popMany(engine: Engine, command: CommandSpans, ends: Ends, at: number): Outcome {
  const keys = indexAt(command, at);
  if (!(keys > 0)) return engine.fail('ERR numkeys should be greater than 0');
  const where = at + keys + 1;
  if (where >= command.argc) return engine.syntaxError();
  const fromFirst = command.is(where, ends.first);
  if (!fromFirst && !command.is(where, ends.last)) return engine.syntaxError();
  let count = 1;
  if (command.argc > where + 1) {
    if (command.argc !== where + 3 || !command.is(where + 1, 'COUNT')) return engine.syntaxError();
    count = indexAt(command, where + 2);
    if (!(count > 0)) return engine.fail('ERR count should be greater than 0');
  }
  return dropFirst(engine, command, ends, at + 1, where, count, fromFirst);
}

/** Takes from the first of the keys at arguments `from` to `to` (excluded) that exists. */
function dropFirst(
  engine: Engine,
  command: CommandSpans,
  ends: Ends,
  from: number,
  to: number,
  count: number,
  fromFirst: boolean,
): Outcome {
  for (let i = from; i < to; i++) {
    const entry = engine.find(command, i);
    if (entry < 0) continue;
    if (engine.db.kindAt(entry) !== ends.kind) return engine.wrongType();
    ends.drop(engine, entry, count, fromFirst);
    break;
  }
  return APPLIED;
}
