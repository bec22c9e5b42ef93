import { FormatError, InputError } from '../../errors.js';
import { type Answer, isReplyError } from '../../live/connection.js';
import type { QuestionChannel } from '../../live/questions.js';
import type { PayloadFile } from '../../rdb/payload-file.js';
import { type ExpiryQuestion, sameExpiry } from './expiry.js';
import { refused, strange } from './scan.js';

/** How often a key is asked for again whose expiry changed while it was read. */
const TRIES = 20;

/** Reads keys by DUMP, their times of expiry asked for before and behind, so that both are of one moment. */
export class DumpReader {
  constructor(
    private readonly connection: QuestionChannel,
    private readonly expiry: ExpiryQuestion,
    private readonly into: PayloadFile,
    private readonly shown: (name: string) => string,
  ) {}

  /** Returns the bytes of the payloads. @throws InputError FormatError */
  async read(database: number, names: readonly Buffer[]): Promise<number> {
    let bytes = 0;
    for (let left = names, tries = 0; left.length > 0; tries++) {
      if (tries === TRIES) throw this.restless(left[0]!);
      const again: Buffer[] = [];
      const width = 2 * this.expiry.commands(left[0]!).length + 1;
      const commands = left.flatMap((name) => {
        const expiry = this.expiry.commands(name);
        return [...expiry, ['DUMP', name], ...expiry];
      });
      const answers = await this.connection.ask(commands);
      for (const [i, name] of left.entries()) {
        const size = this.take(database, name, answers.slice(i * width, (i + 1) * width));
        if (size === null) again.push(name);
        else bytes += size;
      }
      left = again;
    }
    return bytes;
  }

  /** Null when the key changed meanwhile. */
  private take(database: number, name: Buffer, answers: readonly Answer[]): number | null {
    const { expiry, connection } = this;
    if (answers.some(isReplyError)) refused(answers, connection.label, `key ${this.named(name)}`);
    const half = (answers.length - 1) / 2;
    const payload = answers[half];
    // Deleted or expired since SCAN told it.
    if (payload === null) return 0;
    if (!Buffer.isBuffer(payload)) throw strange(connection.label, 'DUMP');
    const before = expiry.of(answers.slice(0, half));
    const after = expiry.of(answers.slice(half + 1));
    if (before === undefined || !sameExpiry(before, after, expiry)) return null;
    try {
      this.into.add(database, name, before, payload);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw this.unreadable(name, error);
    }
    return payload.length;
  }

  private named(name: Buffer): string {
    return this.shown(name.latin1Slice());
  }

  private restless(name: Buffer): InputError {
    const message = `key ${this.named(name)}: its TTL changed each of the ${TRIES} times that it was read`;
    return new InputError('input/server', this.connection.label, message, 'run this again');
  }

  private unreadable(name: Buffer, { code, offset }: FormatError): InputError {
    return new InputError(
      'input/server',
      this.connection.label,
      `key ${this.named(name)}: what DUMP gave cannot be read: ${code} at byte ${offset} of the payload`,
      'try --via type; a server newer than this program may write what it does not know',
    );
  }
}
