import { UsageError } from '../errors.js';
import { Interrupted } from './io.js';
import type { Session } from './session.js';

/** A terminal as standard input. */
interface TerminalInput {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

const ENTER = new Set([10, 13]);
const INTERRUPT = 3;
const ERASE = new Set([8, 127]);

/** Asks for a password without showing it. @throws UsageError when standard input is no terminal */
export async function askPassword(question: string, session: Session): Promise<string> {
  const { stdin } = session.io;
  const terminal = stdin as AsyncIterable<Uint8Array> & TerminalInput;
  if (terminal.isTTY !== true || terminal.setRawMode === undefined) {
    throw new UsageError(
      '--askpass: there is no terminal to ask on',
      'give the password in REKINDLE_PASSWORD',
    );
  }
  session.io.stderr.write(question);
  terminal.setRawMode(true);
  const typed: number[] = [];
  try {
    for await (const chunk of terminal) {
      for (const byte of Buffer.from(chunk)) {
        if (ENTER.has(byte)) return Buffer.from(typed).toString('utf8');
        if (byte === INTERRUPT) throw new Interrupted('interrupted');
        if (ERASE.has(byte)) typed.pop();
        else typed.push(byte);
      }
    }
    return Buffer.from(typed).toString('utf8');
  } finally {
    terminal.setRawMode(false);
    session.io.stderr.write('\n');
  }
}
