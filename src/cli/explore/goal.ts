import { UsageError } from '../../errors.js';
import type { TimeMachine } from '../../tools/explore/time-machine.js';
import { parseInstant, parseSpanBack } from '../values.js';

/**
 * The position that a text means: a command number, a time, or `file:offset`.
 *
 * @throws UsageError when it means none
 */
export async function positionOf(text: string, machine: TimeMachine): Promise<number> {
  if (/^\d+$/.test(text)) return Number(text);
  const [, name, digits] = /^(.*):(\d+|0x[0-9a-f]+)$/i.exec(text) ?? [];
  const file = machine.set.files.findIndex((each) => each.name === name);
  if (file >= 0) return machine.atOffset(file, Number(digits));
  const { lastMs } = machine.index;
  if (lastMs < 0) {
    throw new UsageError('the log has no #TS annotations: times mean nothing in it', 'give a command number');
  }
  const back = parseSpanBack(text);
  if (back !== null) return machine.atTime(lastMs - back);
  const clock = /^(\d\d):(\d\d)(?::(\d\d))?$/.test(text);
  const at = machine.timeMs < 0 ? machine.index.firstMs : machine.timeMs;
  const day = new Date(at).toISOString().slice(0, 10);
  return machine.atTime(parseInstant(clock ? `${day}T${text}Z` : text.replace(/^@/, ''), 'go to'));
}
