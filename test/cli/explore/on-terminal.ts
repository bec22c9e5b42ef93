import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { corpusPath } from '../../support/corpus.js';
import { Screen } from '../../support/screen.js';

// What only a real terminal shows: raw mode, signals, being suspended. `script` makes one.

const absence = spawnSync('script', ['--version']).error === undefined ? '' : 'script is not installed';
if (absence !== '') console.warn(`skipped: explore on a real terminal: ${absence}`);

const running: ChildProcess[] = [];

class Terminal {
  readonly screen = new Screen();
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(program: string) {
    const command = `stty rows 24 cols 80; echo pid $$; exec '${process.execPath}' '${program}' explore workload`;
    const child = spawn('script', ['-qfec', command, '/dev/null'], {
      cwd: corpusPath('redis-7.0.15', '.'),
      env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh' },
    });
    running.push(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.screen.write(text));
    this.ended = new Promise((resolve) => child.once('exit', resolve));
    this.child = child;
  }

  press(keys: string): void {
    this.child.stdin!.write(keys);
  }

  private get pid(): number {
    return Number(/pid (\d+)/.exec(this.screen.outside)![1]);
  }

  get isStopped(): boolean {
    return /\) T /.test(readFileSync(`/proc/${this.pid}/stat`, 'utf8'));
  }

  /** Sends a signal to the program, and to `script`, which stops and goes on with it. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
    if (name === 'SIGCONT') this.child.kill(name);
  }

  async until(holds: (screen: Screen) => boolean): Promise<void> {
    for (let attempt = 0; attempt < 1500 && !holds(this.screen); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(holds(this.screen), `${this.screen.outside}\n${this.screen.text()}`).toBe(true);
  }

  shows(text: string): Promise<void> {
    return this.until((screen) => screen.alternate && screen.text().includes(text));
  }
}

/** Tests of the program at a path, which is made by then. */
export function terminalTests(program: () => string): void {
  describe.skipIf(absence !== '')(`explore on a real terminal ${absence}`, () => {
    afterEach(() => {
      for (const child of running.splice(0)) child.kill('SIGKILL');
    });

    test('is suspended and goes on, and leaves the terminal as it was', async () => {
      const terminal = new Terminal(program());
      await terminal.shows('> the log ends here');
      terminal.press('D');
      await terminal.shows('SWAPDB 5 6');
      terminal.press('\u001a');
      await terminal.until(() => terminal.isStopped);
      // `script` notices, and stops, too: before or after it has passed on what the program wrote last, and perhaps
      // after a first word to go on.
      await terminal.until((screen) => {
        if (screen.entered < 2) terminal.signal('SIGCONT');
        return screen.entered === 2;
      });
      await terminal.shows('SWAPDB 5 6');
      terminal.press('q');
      expect(await terminal.ended).toBe(0);
      expect(terminal.screen).toMatchObject({ alternate: false, cursorShown: true });
      expect(terminal.screen.outside).toContain(
        'rekindle replay workload --until-command 579 --out restored',
      );
    });

    test('gives the terminal back when it is told to end', async () => {
      const terminal = new Terminal(program());
      await terminal.shows('> the log ends here');
      terminal.signal('SIGTERM');
      expect(await terminal.ended).toBe(130);
      expect(terminal.screen).toMatchObject({ alternate: false, cursorShown: true });
      expect(terminal.screen.outside).toContain('interrupted');
    });
  });
}
