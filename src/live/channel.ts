import type { Socket } from 'node:net';
import { ChunkFiller } from '../bytes/chunk-filler.js';
import type { ByteTarget } from '../bytes/target.js';
import { OutputError } from '../errors.js';
import { type ConnectionSettings, ServerConnection } from './connection.js';
import { connectionErrorOf } from './failure.js';
import { type ReplyListener, ReplyParser } from './replies.js';

/** What is told of every command once its reply is here; `ticket` is the number it was announced with. */
export interface ReplyTaker {
  done(ticket: number): void;
  /** The null reply: a condition did not hold. */
  absent(ticket: number): void;
  integer(ticket: number, value: number): void;
  failed(ticket: number, message: string): void;
}

const CHUNK = 128 * 1024;
const CHUNKS_KEPT = 4;
/**
 * Bytes not yet taken by the system at which the channel is full, and the number it drains to. The system takes more only
 * between turns of the event loop: a turn that makes more than a server works off meanwhile lets it wait.
 */
const WAITING_MAX = 192 * 1024;
const WAITING_DRAINED = 128 * 1024;
/** Commands without a reply at which the channel is full, and the number it drains to. */
const UNANSWERED_MAX = 32 * 1024;
const UNANSWERED_DRAINED = 8 * 1024;
/** A server that says nothing for so long while it owes replies is taken for dead. */
const SILENCE_MAX_MS = 120_000;

/**
 * Commands on their way to one server, in large blocks: what is written goes straight to the stream, replies are counted.
 * Each command is announced by `expect` with a ticket, a number of the caller's, which its reply is told with. Bounded:
 * when it is `full`, `drain`.
 */
export class CommandChannel extends ChunkFiller implements ByteTarget, ReplyListener {
  private readonly socket: Socket;
  private readonly parser = new ReplyParser(this);
  private readonly tickets = new TicketQueue();
  private failure: Error | null = null;
  private wake: (() => void) | null = null;
  private closed = false;

  private constructor(
    private readonly connection: ServerConnection,
    private readonly taker: ReplyTaker,
  ) {
    super(CHUNK, CHUNKS_KEPT);
    this.socket = connection.takeOver();
    this.socket.on('data', (bytes: Buffer) => this.receive(bytes));
    this.socket.on('drain', () => this.wake?.());
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      const gone = error.code === 'ECONNRESET' || error.code === 'EPIPE';
      this.fail(gone ? broken(this.label) : connectionErrorOf(error, this.label));
    });
    this.socket.on('close', () => this.fail(broken(this.label)));
    this.socket.setTimeout(SILENCE_MAX_MS, () => {
      if (this.tickets.count > 0) this.fail(silent(this.label));
    });
    this.socket.setNoDelay(true);
  }

  /** @throws OutputError when the server cannot be reached */
  static async open(
    settings: ConnectionSettings,
    taker: ReplyTaker,
    label?: string,
  ): Promise<CommandChannel> {
    return new CommandChannel(await ServerConnection.open(settings, label), taker);
  }

  get label(): string {
    return this.connection.label;
  }

  /** Commands whose replies are not here yet. */
  get unanswered(): number {
    return this.tickets.count;
  }

  /** Ticket of the oldest of them; infinite when there is none. */
  get oldest(): number {
    return this.tickets.oldest;
  }

  /** Says that the next command has this ticket. */
  expect(ticket: number): void {
    this.tickets.add(ticket);
  }

  /** Gives what was written to the system. */
  protected override hand(chunk: Buffer): void {
    if (this.failure === null) this.socket.write(chunk, () => this.recycle(chunk));
  }

  get full(): boolean {
    return (
      this.failure !== null || this.socket.writableLength > WAITING_MAX || this.tickets.count > UNANSWERED_MAX
    );
  }

  /** Sends what was written, and resolves when there is room again. @throws OutputError when the connection broke */
  drain(): Promise<void> {
    return this.until(
      () => this.socket.writableLength <= WAITING_DRAINED && this.tickets.count <= UNANSWERED_DRAINED,
    );
  }

  /** Sends what was written, and resolves when every reply is here. @throws OutputError when the connection broke */
  settle(): Promise<void> {
    return this.until(() => this.tickets.count === 0);
  }

  private async until(reached: () => boolean): Promise<void> {
    this.seal();
    // At least one turn of the event loop, so that replies are read and an abort is heard.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.failure === null && !reached()) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.wake = null;
    if (this.failure !== null) throw this.failure;
  }

  private receive(bytes: Buffer): void {
    if (this.failure !== null) return;
    try {
      this.parser.push(bytes);
    } catch (error) {
      this.fail(error instanceof OutputError ? error : new OutputError(this.label, (error as Error).message));
    }
    this.wake?.();
  }

  done(): void {
    this.taker.done(this.tickets.take());
  }

  absent(): void {
    this.taker.absent(this.tickets.take());
  }

  integer(value: number): void {
    this.taker.integer(this.tickets.take(), value);
  }

  failed(message: string): void {
    this.taker.failed(this.tickets.take(), message);
  }

  /** Ends the channel with an error: whoever waits gets it. The first one stands. */
  fail(error: Error): void {
    if (this.closed) return;
    this.failure ??= error;
    this.wake?.();
  }

  publish(): Promise<void> {
    return this.settle();
  }

  discard(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Breaks the connection off. What was not sent is dropped. May be called twice. */
  close(): void {
    this.closed = true;
    this.connection.close();
    this.socket.destroy();
  }
}

const broken = (label: string) =>
  new OutputError(label, 'the connection broke', 'its log tells why; start it and run this again');

const silent = (label: string) =>
  new OutputError(
    label,
    `it has not answered for ${SILENCE_MAX_MS / 1000} seconds`,
    'is it busy with a script or a save? look at its log, then run this again',
  );

const FIRST_TICKETS = 4096;

/** Numbers in order of arrival, in a ring that grows. */
class TicketQueue {
  count = 0;
  private ring = new Int32Array(FIRST_TICKETS);
  private head = 0;

  get oldest(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : this.ring[this.head]!;
  }

  add(ticket: number): void {
    const { ring } = this;
    if (this.count === ring.length) this.grow();
    this.ring[(this.head + this.count++) & (this.ring.length - 1)] = ticket;
  }

  take(): number {
    if (this.count === 0) throw new Error('it answers more than it was asked');
    const ticket = this.ring[this.head]!;
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.count--;
    return ticket;
  }

  private grow(): void {
    const larger = new Int32Array(this.ring.length * 2);
    larger.set(this.ring.subarray(this.head));
    larger.set(this.ring.subarray(0, this.head), this.ring.length - this.head);
    this.ring = larger;
    this.head = 0;
  }
}
