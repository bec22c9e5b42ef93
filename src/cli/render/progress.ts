import type { Progress } from '../../tools/context.js';
import type { Output } from '../io.js';
import { printable } from './escape.js';
import { duration, size } from './numbers.js';

const FIRST_AFTER_MS = 1000;
const EVERY_MS = 100;
const BAR_WIDTH = 24;

/**
 * One line on a terminal that shows how far the work is. Nothing appears before the work has lasted a second. Text
 * written to the same terminal must be preceded by `clear`.
 */
export class ProgressLine {
  private readonly startedAt: number;
  private label = '';
  private labelAt: number;
  private labelDone = 0;
  private drawnAt = 0;
  private shown = false;

  constructor(
    private readonly output: Output,
    private readonly now: () => number,
  ) {
    this.startedAt = this.labelAt = now();
  }

  update(progress: Progress): void {
    const now = this.now();
    if (progress.label !== this.label) {
      this.label = progress.label;
      this.labelAt = now;
      this.labelDone = progress.done;
    }
    if (now - this.startedAt < FIRST_AFTER_MS || now - this.drawnAt < EVERY_MS) return;
    const elapsedMs = now - this.labelAt;
    const rate = elapsedMs > 0 ? ((progress.done - this.labelDone) * 1000) / elapsedMs : 0;
    this.drawnAt = now;
    this.shown = true;
    this.output.write(`\r\u001b[2K${progressText(progress, rate, this.output.columns ?? 80)}`);
  }

  clear(): void {
    if (!this.shown) return;
    this.shown = false;
    this.output.write('\r\u001b[2K');
  }
}

/** The text of the line, no wider than `columns` - 1; `rate` in bytes a second, 0 when unknown. */
export function progressText(progress: Progress, rate: number, columns: number): string {
  const { done, total } = progress;
  const facts = [total === null ? size(done) : `${size(done)} of ${size(total)}`];
  if (rate > 0) facts.push(`${size(rate)}/s`);
  let bar = '';
  if (total !== null && total > 0) {
    const share = Math.min(1, done / total);
    const filled = Math.round(share * BAR_WIDTH);
    bar = `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${String(Math.floor(share * 100)).padStart(3)}%`;
    if (rate > 0) facts.push(`${duration(((total - done) / rate) * 1000)} left`);
  }
  const tail = [bar, facts.join(', ')].filter((part) => part !== '').join('  ');
  const room = columns - 1 - tail.length - 2;
  const label = printable(progress.label);
  const shortened = label.length <= room ? label : room > 1 ? `…${label.slice(label.length - room + 1)}` : '';
  return (shortened === '' ? tail : `${shortened}  ${tail}`).slice(0, Math.max(0, columns - 1));
}
