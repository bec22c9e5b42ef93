import { addLongDoubles, formatLongDouble, parseLongDouble } from '../../kernels/long-double.js';
import type { Engine } from '../engine.js';

/** The sum of two texts as the servers add floats; null when they refuse, after `engine.fail`. */
export function sumOfFloats(engine: Engine, value: string, delta: string, refusal: string): string | null {
  const present = parseLongDouble(value);
  const increment = parseLongDouble(delta);
  if (present === null || increment === null) {
    engine.fail(present === null ? refusal : 'ERR value is not a valid float');
    return null;
  }
  const sum = addLongDoubles(present, increment);
  if (sum === null) {
    engine.fail('ERR increment would produce NaN or Infinity');
    return null;
  }
  return formatLongDouble(sum);
}
