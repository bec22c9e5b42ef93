import type { Long } from '../../bytes/int64.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { type Comparison, comparisonAt } from './comparison.js';
import { deadlineAt } from './deadline.js';

/** The options of SET, GETEX and MSETEX, filled by `parseSetOptions`. */
export const setOptions = {
  ifAbsent: false,
  ifPresent: false,
  get: false,
  keepExpiry: false,
  persist: false,
  /** What the present value must pass, and the number of the argument that it is compared with; null: nothing. */
  comparison: null as Comparison | null,
  compared: 0,
  expiry: null as Long | null,
};

/** Reads options from argument `from` on. Returns the server's words for what is wrong, or ''. */
export function parseSetOptions(
  engine: Engine,
  command: CommandSpans,
  from: number,
  forSet: boolean,
): string {
  const options = setOptions;
  options.ifAbsent = options.ifPresent = options.get = options.keepExpiry = options.persist = false;
  options.comparison = null;
  options.compared = 0;
  options.expiry = null;
  timing = 0;
  let deadline = 0;
  for (let i = from; i < command.argc; i++) {
    const unitMs = i + 1 === command.argc ? 0 : unitAt(command, i);
    if (unitMs > 0 && isTimed(2 * unitMs + (command.size(i) === 4 ? 1 : 0))) {
      deadline = ++i;
    } else if (forSet && isComparison(engine, command, i)) {
      i++;
    } else if (forSet ? !isSetOption(engine, command, i) : !(command.is(i, 'PERSIST') && isTimed(PERSIST))) {
      return 'ERR syntax error';
    }
  }
  options.keepExpiry = timing === KEEPTTL;
  options.persist = timing === PERSIST;
  if (deadline === 0) return '';
  const expiry = deadlineAt(engine, command, deadline, timing >> 1, (timing & 1) === 1);
  if (typeof expiry === 'string') return expiry;
  options.expiry = expiry;
  return '';
}

const KEEPTTL = -1;
const PERSIST = -2;
/** The one option about time that a command has: KEEPTTL, PERSIST, or twice the unit, odd when absolute; 0: none. */
let timing = 0;

/** Notes an option about time. It may stand there again, and the last counts; false when another does. */
function isTimed(option: number): boolean {
  if (timing !== 0 && timing !== option) return false;
  timing = option;
  return true;
}

/** Milliseconds of the unit that EX, PX, EXAT or PXAT stands for; 0 for other words. */
export function unitAt(command: CommandSpans, i: number): number {
  const length = command.size(i);
  if (length !== 2 && length !== 4) return 0;
  const start = command.starts[i]!;
  const { bytes } = command;
  if ((bytes[start + 1]! & 0xdf) !== 88) return 0;
  if (length === 4 && ((bytes[start + 2]! & 0xdf) !== 65 || (bytes[start + 3]! & 0xdf) !== 84)) return 0;
  const first = bytes[start]! & 0xdf;
  return first === 69 ? 1000 : first === 80 ? 1 : 0;
}

/** Notes a comparison with the value behind it; for Redis the same may stand there again, and the last counts. */
function isComparison(engine: Engine, command: CommandSpans, i: number): boolean {
  if (setOptions.ifAbsent || setOptions.ifPresent || i + 1 === command.argc) return false;
  const comparison = comparisonAt(command, i);
  if (comparison === null) return false;
  const before = setOptions.comparison;
  if (before !== null && (engine.product === 'valkey' || before !== comparison)) return false;
  setOptions.comparison = comparison;
  setOptions.compared = i + 1;
  return true;
}

/** Notes an option of SET that stands alone. Servers take each again and again, and Redis NX and XX behind a comparison. */
function isSetOption(engine: Engine, command: CommandSpans, i: number): boolean {
  const { ifAbsent, ifPresent, comparison } = setOptions;
  const free = comparison === null || engine.product !== 'valkey';
  if (!ifPresent && free && command.is(i, 'NX')) setOptions.ifAbsent = true;
  else if (!ifAbsent && free && command.is(i, 'XX')) setOptions.ifPresent = true;
  else if (command.is(i, 'GET')) setOptions.get = true;
  else return command.is(i, 'KEEPTTL') && isTimed(KEEPTTL);
  return true;
}
