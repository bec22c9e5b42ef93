import { ByteWindow, END, type Machine, NEED, PAUSE } from '../../src/bytes/window.js';
import type { Random } from '../support/random.js';
import { Broken } from './target.js';

/**
 * Runs a machine over bytes in memory, without waiting: all at once, or with `random` in parts of any size. Returns the
 * window as it was left. @throws what the machine throws
 */
export function feed(machine: Machine, bytes: Buffer, random: Random | null = null): ByteWindow {
  const window = new ByteWindow();
  window.bytes = bytes;
  window.limit = bytes.length;
  let end = random === null ? bytes.length : 0;
  for (;;) {
    window.end = end;
    const before = window.position;
    const step = machine.run(window);
    if (step === END) return window;
    if (step === PAUSE) throw new Broken('a machine paused and nobody asked it to');
    if (step !== NEED) throw new Broken('a machine answered what none may', String(step));
    if (window.position < before || window.position > end) throw new Broken('a machine left its window');
    const wanted = Math.max(window.need, end - window.position + 1);
    if (wanted <= end - window.position) throw new Broken('a machine wants what it has');
    if (end === bytes.length) break;
    // What is missing may show at once with what is left.
    end = Math.min(bytes.length, window.position + wanted + (random?.below(24) ?? bytes.length));
  }
  machine.finish(window);
  return window;
}
