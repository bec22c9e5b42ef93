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
  for (let i = from; i < command.argc; i++) {
    const timed = options.expiry !== null || options.keepExpiry || options.persist;
    const unitMs = timed || i + 1 === command.argc ? 0 : unitAt(command, i);
    if (unitMs > 0) {
      const absolute = command.size(i) === 4;
      const expiry = deadlineAt(engine, command, ++i, unitMs, absolute);
      if (typeof expiry === 'string') return expiry;
      options.expiry = expiry;
    } else if (forSet && isComparison(command, i)) {
      i++;
    } else if (forSet ? !isSetOption(command, i, timed) : timed || !command.is(i, 'PERSIST')) {
      return 'ERR syntax error';
    } else if (!forSet) {
      options.persist = true;
    }
  }
  return '';
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

function isConditional(): boolean {
  return setOptions.ifAbsent || setOptions.ifPresent || setOptions.comparison !== null;
}

/** Notes a comparison with the value behind it. */
function isComparison(command: CommandSpans, i: number): boolean {
  if (isConditional() || i + 1 === command.argc) return false;
  setOptions.comparison = comparisonAt(command, i);
  setOptions.compared = i + 1;
  return setOptions.comparison !== null;
}

/** Notes an option of SET that stands alone. */
function isSetOption(command: CommandSpans, i: number, timed: boolean): boolean {
  if (!isConditional() && command.is(i, 'NX')) setOptions.ifAbsent = true;
  else if (!isConditional() && command.is(i, 'XX')) setOptions.ifPresent = true;
  else if (command.is(i, 'GET')) setOptions.get = true;
  else if (!timed && command.is(i, 'KEEPTTL')) setOptions.keepExpiry = true;
  else return false;
  return true;
}
