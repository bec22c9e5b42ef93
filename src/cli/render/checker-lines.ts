import { isUtf8 } from 'node:buffer';
import { type FormatError, InputError, OutputError } from '../../errors.js';
import { shownSource } from '../../live/address.js';
import type { FindingCode } from '../../model/finding.js';
import type { CheckerHost } from '../../tools/checkers/host.js';
import { reportFailure } from '../failure.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import { messageOf } from './findings.js';

/** Prints the result lines of a stand-in for an official checker as they come, or with --json all at the end. */
export class CheckerLines implements CheckerHost {
  private readonly lines: string[] = [];

  /** @param yes the answer is given beforehand, and nothing is asked */
  constructor(
    private readonly session: Session,
    private readonly yes: boolean,
  ) {}

  line(text: string): void {
    if (this.session.settings.json) this.lines.push(text);
    else this.session.print(`${text}\n`);
  }

  note(text: string): void {
    this.session.note(text);
  }

  async confirm(): Promise<boolean> {
    if (this.yes) return true;
    const { io, settings } = this.session;
    const question = 'Continue? [y/N]: ';
    if (settings.json) io.stderr.write(question);
    else this.session.print(question);
    for await (const chunk of io.stdin) {
      if (chunk.length > 0) return chunk[0] === 0x79 || chunk[0] === 0x59;
    }
    this.session.note('nobody answered: --yes fixes without asking');
    return false;
  }

  path(path: string): string {
    return printable(shownSource(path));
  }

  bytes(latin1: string): string {
    return this.session.settings.conceal?.(latin1) ?? shownBytes(latin1);
  }

  reason(error: FormatError): string {
    const where = { file: '', offset: error.offset, trail: error.trail };
    const finding = { code: error.code as FindingCode, where, detail: error.detail };
    return messageOf(finding, this.session.settings.conceal);
  }

  /** Ends the report when the check has ended. Files that fail give 1, as in the originals, which know no other code. */
  async closeAfter(check: Promise<number>): Promise<number> {
    try {
      return this.close(await check);
    } catch (error) {
      if (!(error instanceof InputError || error instanceof OutputError)) throw error;
      reportFailure(error, [], this.session.io);
      return this.close(1);
    }
  }

  /** Ends the report; returns the exit code. */
  close(exitCode: number): number {
    const { session, lines } = this;
    if (session.settings.json) session.report({ ok: exitCode === 0, exitCode, lines });
    return exitCode;
  }
}

/** Bytes as they stand, but for what a terminal might act on. */
function shownBytes(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  if (isUtf8(bytes)) return printable(bytes.toString('utf8'));
  return printable(latin1.replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`));
}
