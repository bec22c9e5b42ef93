import type { ToolContext } from '../tools/context.js';
import type { Io } from './io.js';
import { printableLines, quotedBytes } from './render/escape.js';
import { type Json, jsonBytes, jsonReport } from './render/json.js';
import { ProgressLine } from './render/progress.js';
import { Style } from './render/style.js';
import type { Settings } from './settings.js';
import { SourceNames } from './source-names.js';

/** One run of one command: its settings, and the only way to the two streams. */
export class Session {
  readonly context: ToolContext;
  /** Colours for standard output and for standard error. */
  readonly outStyle: Style;
  readonly errStyle: Style;
  /** What the user called what is read. */
  readonly sources = new SourceNames();
  private readonly progressLine: ProgressLine | null;
  /** Settled when standard output takes more, or nobody reads it any longer; null while it does. */
  private roomAgain: Promise<void> | null = null;

  constructor(
    readonly io: Io,
    readonly settings: Settings,
  ) {
    this.outStyle = new Style(settings.colorOut);
    this.errStyle = new Style(settings.colorErr);
    const showsProgress = io.stderr.isTTY === true && io.env['TERM'] !== 'dumb' && !settings.quiet;
    this.progressLine = showsProgress ? new ProgressLine(io.stderr, () => io.now(), this.errStyle) : null;
    this.context = {
      nowMs: settings.nowMs,
      clock: () => io.now(),
      signal: io.signal,
      progress: (progress) => this.progressLine?.update(progress),
      memoryBytes: settings.memoryBytes,
      heldBytes: () => io.heldBytes(),
      reclaim: () => io.reclaim?.(),
    };
  }

  /** Writes a result. The text must already be safe for a terminal. */
  print(text: string): void {
    this.progressLine?.clear();
    this.put(text);
  }

  /** Writes a part of a result that is no text. */
  printBytes(bytes: Uint8Array): void {
    this.progressLine?.clear();
    this.put(bytes);
  }

  report(fields: Readonly<Record<string, Json>>): void {
    this.print(jsonReport(fields));
  }

  private put(result: string | Uint8Array): void {
    const { stdout, signal } = this.io;
    if (stdout.write(result) || this.roomAgain !== null || signal.aborted) return;
    // Listened for at once: whoever waits may come when there is room again already.
    this.roomAgain = new Promise((resolve) => {
      const go = (): void => {
        signal.removeEventListener('abort', go);
        this.roomAgain = null;
        resolve();
      };
      stdout.once('drain', go);
      signal.addEventListener('abort', go, { once: true });
    });
  }

  /** True when results should wait for `drain`. */
  get full(): boolean {
    return this.roomAgain !== null;
  }

  async drain(): Promise<void> {
    await this.roomAgain;
  }

  /** A remark on standard error: silent with --quiet. */
  note(text: string): void {
    if (!this.settings.quiet) this.complain(text);
  }

  /** A remark that only --verbose asks for. */
  detail(text: string): void {
    if (this.settings.verbose) this.note(text);
  }

  /** What must be said even with --quiet. */
  complain(text: string): void {
    this.progressLine?.clear();
    this.io.stderr.write(`${text}\n`);
  }

  warn(text: string): void {
    this.note(`${this.errStyle.yellow('warning:')} ${printableLines(text)}`);
  }

  /** Several inputs are gone through one by one: this is the next. */
  nextInput(number: number, of: number): void {
    if (this.progressLine !== null && of > 1) this.progressLine.input = `${number}/${of}`;
  }

  /** `isDone`: the work was not interrupted and did not fail; it is said how long it took, if progress was shown. */
  endProgress(isDone: boolean): void {
    if (isDone) this.progressLine?.finish();
    else this.progressLine?.clear();
  }

  /** Bytes of the dataset for a terminal: escaped, or hidden with --redact. */
  shown(latin1: string): string {
    return this.settings.conceal?.(latin1) ?? quotedBytes(latin1);
  }

  /** Bytes of the dataset for JSON. */
  json(latin1: string): Json {
    return this.settings.conceal?.(latin1) ?? jsonBytes(latin1);
  }
}
