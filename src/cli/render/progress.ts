import type { Progress } from '../../tools/context.js';
import type { Output } from '../io.js';
import { printable } from './escape.js';
import { count, counted, duration, size } from './numbers.js';
import { Style } from './style.js';

// Drawn by hand: cli-progress (one bar, values it was given) and log-update (any lines, wrapped, through seven packages)
// were looked at. What takes care here is none of what they do: names from hostile directories, a rate of the last
// seconds, sizes nobody knows, and that nothing is loaded for a command that lasts half a second.

const FIRST_AFTER_MS = 1000;
const EVERY_MS = 100;
/** The second where there is no room for the first. */
const BAR_WIDTHS = [24, 12] as const;
/** The rate is that of so many last milliseconds, by samples so far apart. */
const RATE_SPAN_MS = 5000;
const SAMPLE_EVERY_MS = 250;

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/**
 * One line on a terminal that shows how far the work is. Nothing appears before the work has lasted a second. Text
 * written to the same terminal must be preceded by `clear`.
 */
export class ProgressLine {
  private readonly startedAt: number;
  /** What is being gone through now. */
  private label = '';
  private phase = '';
  private done = 0;
  private samples: Sample[] = [];
  /** Bytes gone through in all passes over all inputs. */
  private bytes = 0;
  /** Keys or commands of this input, and of those before. */
  private items: Progress['items'];
  private readonly settled = { keys: 0, commands: 0 };
  /** Which of several inputs this is: `2/5`; '' where there is one. */
  input = '';
  private drawnAt = 0;
  private shown = '';
  private hasShown = false;

  constructor(
    private readonly output: Output,
    private readonly now: () => number,
    private readonly style: Style = new Style(false),
  ) {
    this.startedAt = now();
  }

  update(progress: Progress): void {
    const now = this.now();
    const { label, phase = '', done, unit, items = null } = progress;
    const goesOn = label === this.label && done >= this.done;
    if (unit === undefined) this.bytes += goesOn ? done - this.done : done;
    // The same input from its start again is another pass, whose rate is its own.
    if (!goesOn || phase !== this.phase) this.samples = [{ atMs: now, done }];
    if (label !== this.label) this.settle();
    this.label = label;
    this.phase = phase;
    this.done = done;
    if (items !== null) this.items = items;
    if (now - this.startedAt < FIRST_AFTER_MS || now - this.drawnAt < EVERY_MS) return;
    this.drawnAt = now;
    const named = [this.input, phase].filter((word) => word !== '').join(' ');
    const shown = { ...progress, phase: named };
    this.draw(progressText(shown, this.rate(now), this.output.columns ?? 80, this.style));
  }

  clear(): void {
    if (this.shown === '') return;
    this.shown = '';
    this.output.write('\r\u001b[2K');
  }

  /** After the work: what it went through and how long that took, if anything was shown of it. */
  finish(): void {
    this.clear();
    if (!this.hasShown) return;
    this.hasShown = false;
    const tookMs = this.now() - this.startedAt;
    const facts = [`took ${duration(tookMs)}`];
    if (this.bytes > 0) facts.push(size(this.bytes), `${size((this.bytes * 1000) / tookMs)}/s`);
    this.settle();
    const { keys, commands } = this.settled;
    if (keys > 0) facts.push(itemsText({ count: keys, what: 'keys' }));
    if (commands > 0) facts.push(itemsText({ count: commands, what: 'commands' }));
    this.output.write(`${facts.join(', ')}\n`);
  }

  private settle(): void {
    if (this.items !== undefined) this.settled[this.items.what] += this.items.count;
    this.items = undefined;
  }

  /** Over the old text, and only then is the rest of it wiped: an empty line is never seen. */
  private draw(text: string): void {
    this.hasShown = true;
    if (text === this.shown) return;
    this.shown = text;
    this.output.write(`\r${text}\u001b[K`);
  }

  /** Units a second, 0 while it cannot be told. */
  private rate(now: number): number {
    const { samples, done } = this;
    const last = samples[samples.length - 1]!;
    if (now - last.atMs >= SAMPLE_EVERY_MS) samples.push({ atMs: now, done });
    while (samples.length > 2 && now - samples[1]!.atMs > RATE_SPAN_MS) samples.shift();
    const first = samples[0]!;
    return now > first.atMs ? Math.max(0, ((done - first.done) * 1000) / (now - first.atMs)) : 0;
  }
}

/**
 * The text of the line, no wider than `columns` - 1; `rate` in units a second, 0 when unknown. Where there is little
 * room, the name goes first, then what stands at the end.
 */
export function progressText(
  progress: Progress,
  rate: number,
  columns: number,
  style: Style = new Style(false),
): string {
  const { done, total, unit, phase = '', items } = progress;
  const amount = (value: number) => (unit === undefined ? size(value) : count(Math.round(value)));
  const facts = [
    `${amount(done)}${total === null ? '' : ` of ${amount(total)}`}${unit === undefined ? '' : ` ${unit}`}`,
  ];
  if (rate > 0) facts.push(`${amount(rate)}/s`);
  if (items !== undefined && items.count > 0) facts.push(itemsText(items));
  const hasBar = total !== null && total > 0;
  if (hasBar && rate > 0 && done < total) facts.push(`${duration(((total - done) / rate) * 1000)} left`);
  const part = hasBar ? Math.min(1, done / total) : 0;
  const name = [phase, printable(progress.label)].filter((each) => each !== '').join(' ');
  const told = facts.join(', ');
  const share = hasBar ? ` ${String(Math.floor(part * 100)).padStart(3)}%  ` : '';
  const frame = hasBar ? share.length + 2 : 0;
  const fits = (width: number) => name.length + 2 + frame + width + told.length < columns;
  const width = hasBar ? (BAR_WIDTHS.find(fits) ?? BAR_WIDTHS[1]) : 0;
  const filled = '#'.repeat(Math.round(part * width));
  const rest = '.'.repeat(width - filled.length);
  const room = columns - 3 - frame - width - told.length;
  const shortened = name.length <= room ? name : room > 1 ? `…${name.slice(name.length - room + 1)}` : '';
  const head = shortened === '' ? '' : `${shortened}  `;
  const line = (bar: string) => `${head}${hasBar ? `[${bar}${rest}]${share}` : ''}${told}`;
  const plain = line(filled);
  return plain.length < columns ? line(style.green(filled)) : plain.slice(0, Math.max(0, columns - 1));
}

const itemsText = ({ count: number, what }: NonNullable<Progress['items']>): string =>
  counted(number, what === 'keys' ? 'key' : 'command');
