import { EventEmitter } from 'node:events';
import type { Io } from '../../../src/cli/io.js';
import { run } from '../../../src/cli/run.js';
import { Screen } from '../../support/screen.js';

/** A program that runs on a terminal of ours: keys in, screen out. */
export class FakeTerminal {
  screen: Screen;
  raw = false;
  stderr = '';
  readonly ended: Promise<number>;
  readonly abort = new AbortController();
  private readonly stdin = new EventEmitter();
  private readonly stdout = new EventEmitter();
  private exit: number | null = null;

  constructor(argv: readonly string[], env: Readonly<Record<string, string>> = {}, columns = 80, rows = 24) {
    this.screen = new Screen(columns, rows);
    const stdin = Object.assign(this.stdin, {
      isTTY: true,
      setRawMode: (raw: boolean) => (this.raw = raw),
      resume: () => {},
      pause: () => {},
    });
    const stdout = Object.assign(this.stdout, {
      isTTY: true,
      columns,
      rows,
      write: (text: string | Uint8Array) => {
        this.screen.write(text.toString());
        return true;
      },
    });
    const io: Io = {
      stdin: stdin as unknown as Io['stdin'],
      stdout,
      stderr: { write: (text) => this.complain(text), once: () => {} },
      env,
      now: () => 1772366400000,
      heldBytes: () => 0,
      signal: this.abort.signal,
    };
    this.ended = run(argv, io).then((exit) => (this.exit = exit));
  }

  private complain(text: string | Uint8Array): boolean {
    this.stderr += text.toString();
    return true;
  }

  /** Presses keys, one after the other. */
  press(...keys: readonly string[]): void {
    for (const key of keys) this.stdin.emit('data', Buffer.from(key));
  }

  resize(columns: number, rows: number): void {
    this.screen = Object.assign(new Screen(columns, rows), { alternate: true });
    Object.assign(this.stdout, { columns, rows });
    this.stdout.emit('resize');
  }

  /** Waits until the screen shows something. */
  async shows(...texts: readonly (string | RegExp)[]): Promise<void> {
    const isShown = (text: string | RegExp): boolean =>
      typeof text === 'string' ? this.screen.text().includes(text) : text.test(this.screen.text());
    for (let attempt = 0; attempt < 6000; attempt++) {
      if (texts.every(isShown)) return;
      if (this.exit !== null) throw new Error(`it ended with ${this.exit}: ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`not shown: ${texts.join(', ')}\n${this.screen.text()}`);
  }
}
