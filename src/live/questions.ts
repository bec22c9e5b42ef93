import type { Socket } from 'node:net';
import { OutputError } from '../errors.js';
import { AnswerParser } from './answer-parser.js';
import { type Answer, type ConnectionSettings, ServerConnection } from './connection.js';
import { connectionErrorOf } from './failure.js';

/** A server that says nothing for so long while it owes answers is taken for dead. */
const SILENCE_MAX_MS = 120_000;

/** A command as its words. */
export type Words = readonly (string | number | Buffer)[];

/** Lets the next command reach keys of a slot that is being imported. */
const ASKING: Words = ['ASKING'];

/** One connection for very many questions: some thousand go in one block, without a promise each. */
export class QuestionChannel {
  private readonly socket: Socket;
  private readonly parser = new AnswerParser((answer) => this.take(answer));
  private answers: Answer[] = [];
  private wanted = 0;
  private failure: Error | null = null;
  private wake: (() => void) | null = null;

  private constructor(
    private readonly connection: ServerConnection,
    private readonly asking: boolean,
  ) {
    this.socket = connection.takeOver();
    this.socket.on('data', (bytes: Buffer) => this.receive(bytes));
    this.socket.on('error', (error) => this.fail(connectionErrorOf(error, this.label)));
    this.socket.on('close', () => {
      this.fail(new OutputError(this.label, 'the connection broke', 'its log tells why; run this again'));
    });
    this.socket.setTimeout(SILENCE_MAX_MS, () => {
      const message = `it has not answered for ${SILENCE_MAX_MS / 1000} seconds`;
      if (this.wanted > 0) this.fail(new OutputError(this.label, message, 'is it busy? look at its log'));
    });
    this.socket.setNoDelay(true);
  }

  /**
   * `asking`: the server is one of a cluster, and is asked for what it has also where slots are on the move.
   *
   * @throws OutputError when the server cannot be reached
   */
  static async open(settings: ConnectionSettings, asking = false): Promise<QuestionChannel> {
    return new QuestionChannel(await ServerConnection.open(settings), asking);
  }

  get label(): string {
    return this.connection.label;
  }

  /**
   * Asks, and resolves when all answers are here; errors of the server's stand among them. One call at a time.
   *
   * @throws OutputError when the connection broke, or what comes is no answer
   */
  async ask(commands: readonly Words[]): Promise<readonly Answer[]> {
    if (!this.asking) return this.exchange(commands);
    const answers = await this.exchange(commands.flatMap((command) => [ASKING, command]));
    return answers.filter((_, i) => i % 2 === 1);
  }

  private async exchange(commands: readonly Words[]): Promise<readonly Answer[]> {
    if (commands.length === 0) return [];
    this.answers = [];
    this.wanted = commands.length;
    if (this.failure === null) this.socket.write(encoded(commands));
    while (this.answers.length < this.wanted) {
      if (this.failure !== null) throw this.failure;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.wanted = 0;
    return this.answers;
  }

  private receive(bytes: Buffer): void {
    try {
      this.parser.push(bytes);
    } catch (error) {
      this.fail(new OutputError(this.label, (error as Error).message, 'is it a Redis or Valkey server?'));
    }
    if (this.answers.length >= this.wanted) this.wake?.();
  }

  private take(answer: Answer): void {
    if (this.answers.length >= this.wanted) throw new Error('it answers more than it was asked');
    this.answers.push(answer);
  }

  /** Ends it with an error: whoever waits gets it. The first one stands. */
  fail(error: Error): void {
    this.failure ??= error;
    this.wake?.();
    this.close();
  }

  close(): void {
    this.connection.close();
    this.socket.destroy();
  }
}

function encoded(commands: readonly Words[]): Buffer {
  const parts: Buffer[] = [];
  let text = '';
  for (const words of commands) {
    text += `*${words.length}\r\n`;
    for (const word of words) {
      if (Buffer.isBuffer(word)) {
        parts.push(Buffer.from(`${text}$${word.length}\r\n`), word);
        text = '\r\n';
      } else {
        const plain = String(word);
        text += `$${Buffer.byteLength(plain)}\r\n${plain}\r\n`;
      }
    }
  }
  parts.push(Buffer.from(text));
  return Buffer.concat(parts);
}
