import { UsageError } from '../../errors.js';
import type { Io } from '../io.js';
import { type Line, paint } from './cells.js';
import { type Key, keysIn } from './keys.js';

/** What a terminal's input can do that a pipe cannot. */
interface RawInput {
  readonly isTTY?: boolean;
  setRawMode(raw: boolean): unknown;
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  off(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** What a terminal's output can do that a file cannot. */
interface Window {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): boolean;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J';
const LEAVE = '\u001b[0m\u001b[?25h\u001b[?1049l';
const LEAST_COLUMNS = 40;
const LEAST_ROWS = 10;

/** Who is told of keys and of a new size. */
export interface TerminalListener {
  key(key: Key): void;
  /** The screen must be drawn again. */
  resized(): void;
}

/**
 * A terminal in raw mode with a screen of its own. Whatever happens, `close` (or the end of the process) gives the
 * terminal back as it was; so does being suspended, until it goes on.
 */
export class Terminal {
  private drawn: string[] = [];
  private open = false;

  private constructor(
    private readonly input: RawInput,
    private readonly output: Window,
    private readonly colors: boolean,
    private readonly listener: TerminalListener,
  ) {}

  /** @throws UsageError when input or output is no terminal */
  static open(io: Io, colors: boolean, listener: TerminalListener): Terminal {
    const { input, output } = terminalOf(io);
    const terminal = new Terminal(input, output, colors, listener);
    terminal.enter();
    input.on('data', terminal.take);
    input.resume();
    output.on('resize', terminal.resize);
    process.on('SIGTSTP', terminal.suspend);
    process.on('SIGCONT', terminal.goOn);
    process.once('exit', terminal.leave);
    return terminal;
  }

  get columns(): number {
    return Math.max(LEAST_COLUMNS, this.output.columns ?? 80);
  }

  get rows(): number {
    return Math.max(LEAST_ROWS, this.output.rows ?? 24);
  }

  /** Shows lines from the top; only those that changed are written. */
  draw(lines: readonly Line[]): void {
    if (!this.open) return;
    const { columns, rows } = this;
    let text = '';
    for (let row = 0; row < rows; row++) {
      const painted = paint(lines[row] ?? [], columns, this.colors);
      if (this.drawn[row] === painted) continue;
      this.drawn[row] = painted;
      text += `\u001b[${row + 1};1H${painted}\u001b[K`;
    }
    if (text !== '') this.output.write(text);
  }

  /** Writes everything anew at the next `draw`. */
  forget(): void {
    this.drawn = [];
    this.output.write('\u001b[2J');
  }

  /** Leaves the screen and stops until told to go on. */
  readonly suspend = (): void => {
    this.leave();
    process.kill(process.pid, 'SIGSTOP');
  };

  close(): void {
    this.input.off('data', this.take);
    this.output.off('resize', this.resize);
    process.off('SIGTSTP', this.suspend);
    process.off('SIGCONT', this.goOn);
    process.off('exit', this.leave);
    this.leave();
    this.input.pause();
  }

  private enter(): void {
    this.open = true;
    this.drawn = [];
    this.input.setRawMode(true);
    this.output.write(ENTER);
  }

  private readonly leave = (): void => {
    if (!this.open) return;
    this.open = false;
    this.input.setRawMode(false);
    this.output.write(LEAVE);
  };

  private readonly goOn = (): void => {
    if (!this.open) this.enter();
    this.listener.resized();
  };

  private readonly resize = (): void => {
    this.forget();
    this.listener.resized();
  };

  private readonly take = (chunk: Uint8Array): void => {
    for (const key of keysIn(Buffer.from(chunk).toString('utf8'))) this.listener.key(key);
  };
}

/** @throws UsageError when there is no terminal to work on */
export function terminalOf(io: Io): { input: RawInput; output: Window } {
  const input = io.stdin as unknown as RawInput;
  const output = io.stdout as unknown as Window;
  const isRaw = input.isTTY === true && typeof input.setRawMode === 'function';
  if (isRaw && output.isTTY === true && io.env['TERM'] !== 'dumb') return { input, output };
  throw new UsageError(
    'explore needs a terminal for input and output',
    'run it in one; in scripts use `rekindle log`, `rekindle history` and `rekindle replay`',
  );
}
