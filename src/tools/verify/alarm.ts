import { spawn } from 'node:child_process';

export interface AlarmOptions {
  /** For the shell. */
  readonly command: string;
  readonly timeoutMs: number;
  /** What the command finds in its environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a command of the user's with a text on its standard input. Never throws: resolves to what went wrong with it, ''
 * when nothing did. What it prints goes nowhere.
 */
export function raiseAlarm({ command, timeoutMs, environment }: AlarmOptions, text: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', command], {
      env: { ...environment },
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    child.once('error', (error) => resolve(`it cannot be run: ${error.message}`));
    child.once('exit', (code, signal) => {
      if (code === 0) resolve('');
      else
        resolve(
          signal === null ? `it ended with ${code}` : `it was ended by ${signal} after ${timeoutMs / 1000} s`,
        );
    });
    // A command that does not read what it is told ends all the same.
    child.stdin.on('error', () => {});
    child.stdin.end(text);
  });
}
