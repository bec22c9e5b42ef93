import type { Socket } from 'node:net';
import type { ByteReader, ByteSource } from '../bytes/source.js';
import { InputError } from '../errors.js';
import { type ConnectionSettings, ServerConnection } from './connection.js';
import { connectionErrorOf } from './failure.js';
import { asInputError } from './input-error.js';
import { SnapshotParser, type SnapshotTaker } from './snapshot-parser.js';

/** A server that makes no snapshot for us, and why, in its words. */
export class SnapshotRefusal extends Error {
  override readonly name = 'SnapshotRefusal';
}

/** Bytes that wait for whoever reads at which the server is let wait, and the number at which it goes on. */
const WAITING_MAX = 8 * 1024 * 1024;
const WAITING_LOW = 2 * 1024 * 1024;
/** A server that says nothing for so long is taken for dead: it sends a line feed a second while it forks. */
const SILENCE_MAX_MS = 120_000;
/** Answered before SYNC is: that a mark may end the snapshot, and that nothing is wanted behind it. */
const PRELUDE: readonly (readonly string[])[] = [
  ['REPLCONF', 'capa', 'eof'],
  ['REPLCONF', 'rdb-only', '1'],
  // Valkey from 9.0 on writes for who does not say so an RDB as 8.0 reads it, and gives up at what that cannot hold.
  ['REPLCONF', 'version', '255.255.255'],
];
const MAY_NOT = /^NOPERM|unknown command/i;

/**
 * A fresh snapshot of a server as a replica gets it, streamed: opens once, like a pipe. The connection is closed as soon as
 * the last byte is here, so no replica stays behind that the server would feed.
 */
export class LiveSnapshot implements ByteSource {
  readonly once = true;
  private opened = false;

  private constructor(
    readonly label: string,
    private readonly stream: SnapshotStream,
  ) {}

  /**
   * Asks for a snapshot, and resolves when the server makes one.
   *
   * @throws SnapshotRefusal when it makes none, InputError when it can't be reached or breaks off, the signal's reason
   */
  static async request(settings: ConnectionSettings, signal: AbortSignal | null): Promise<LiveSnapshot> {
    signal?.throwIfAborted();
    const { label } = settings.address;
    const connection = await ServerConnection.open(settings).catch((error) => {
      throw asInputError(error, label);
    });
    const stream = new SnapshotStream(connection, label);
    const abort = () => stream.fail(signal!.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await stream.begun;
      stream.letGo();
      return new LiveSnapshot(label, stream);
    } catch (error) {
      stream.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Known once the server has told it; null where it sends the snapshot while it makes it. */
  get size(): number | null {
    return this.stream.length;
  }

  open(start = 0): Promise<ByteReader> {
    if (this.opened || start !== 0) {
      const message = 'a snapshot of a server can be read only once';
      return Promise.reject(new InputError('input/pipe', this.label, message, 'save it to a file first'));
    }
    this.opened = true;
    this.stream.hold();
    return Promise.resolve(this.stream);
  }
}

class SnapshotStream implements ByteReader, SnapshotTaker {
  /** Settles when the server makes a snapshot, or does not. */
  readonly begun: Promise<void>;
  private settle!: { resolve: () => void; reject: (error: Error) => void };
  private readonly socket: Socket;
  private readonly parser = new SnapshotParser(this, PRELUDE.length, () => performance.now());
  private readonly waiting: Buffer[] = [];
  private waitingBytes = 0;
  private whole = false;
  private closed = false;
  private asked = 'SYNC';
  private failure: Error | null = null;
  private wake: (() => void) | null = null;

  constructor(
    private readonly connection: ServerConnection,
    private readonly label: string,
  ) {
    this.begun = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.begun.catch(() => {}); // whoever asked hears of it
    this.socket = connection.takeOver();
    this.socket.on('data', (bytes: Buffer) => this.receive(bytes));
    this.socket.on('error', (error) => {
      if (this.parser.received > 0) this.fail(this.broken());
      else this.fail(asInputError(connectionErrorOf(error, label), label));
    });
    this.socket.on('close', () => this.fail(this.broken()));
    this.socket.setTimeout(SILENCE_MAX_MS, () => {
      if (!this.socket.isPaused()) this.fail(this.silent());
    });
    for (const words of PRELUDE) this.send(words);
  }

  get length(): number | null {
    return this.parser.length;
  }

  private send(words: readonly string[]): void {
    const parts = words.map((word) => `$${word.length}\r\n${word}\r\n`);
    this.socket.write(`*${words.length}\r\n${parts.join('')}`);
  }

  private receive(bytes: Buffer): void {
    if (this.failure !== null || this.whole) return;
    try {
      this.parser.push(bytes);
    } catch (error) {
      const what = `answers ${this.asked} with no snapshot: ${(error as Error).message}`;
      this.fail(new InputError('input/server', this.label, what, 'is it a Redis or Valkey server?'));
    }
    if (this.waitingBytes > WAITING_MAX) this.socket.pause();
    this.wake?.();
  }

  /** Servers refuse SYNC while anything else is on its way to whoever asks. */
  ready(): void {
    this.send([this.asked]);
  }

  accepted(): void {
    this.settle.resolve();
  }

  refused(reply: string): void {
    if (this.asked === 'SYNC' && MAY_NOT.test(reply)) {
      this.asked = 'PSYNC';
      this.parser.again();
      this.send(['PSYNC', '?', '-1']);
    } else {
      this.fail(new SnapshotRefusal(reply));
    }
  }

  bytes(chunk: Buffer): void {
    this.waiting.push(chunk);
    this.waitingBytes += chunk.length;
  }

  ended(): void {
    this.whole = true;
    this.disconnect();
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.waiting.length === 0) {
      if (this.whole || this.closed) return 0;
      if (this.failure !== null) throw this.failure;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const [first] = this.waiting;
    const part = first!.subarray(0, into.length);
    into.set(part);
    if (part.length === first!.length) this.waiting.shift();
    else this.waiting[0] = first!.subarray(part.length);
    this.waitingBytes -= part.length;
    if (this.waitingBytes < WAITING_LOW && this.socket.isPaused()) {
      this.socket.setTimeout(SILENCE_MAX_MS);
      this.socket.resume();
    }
    return part.length;
  }

  /** What is here is still read; behind it comes the error. The first one stands. */
  fail(error: Error): void {
    if (this.whole || this.closed) return;
    this.failure ??= error;
    this.settle.reject(this.failure);
    this.disconnect();
    this.wake?.();
  }

  /** A snapshot that is never read must not keep the program from ending. */
  letGo(): void {
    this.socket.unref();
  }

  hold(): void {
    this.socket.ref();
  }

  private disconnect(): void {
    this.connection.close();
    this.socket.destroy();
  }

  private broken(): InputError {
    const { received, length } = this.parser;
    const of = length === null ? '' : ` of ${length}`;
    return received === 0
      ? new InputError(
          'input/connection-lost',
          this.label,
          'closed the connection before it sent a snapshot',
          'its log tells why: could it not fork, or has it no room for a temporary file?',
        )
      : new InputError(
          'input/connection-lost',
          this.label,
          `the connection broke after ${received}${of} bytes of its snapshot`,
          'its log tells why (the server ended, repl-timeout, client-output-buffer-limit); then run this again',
        );
  }

  private silent(): InputError {
    const seconds = SILENCE_MAX_MS / 1000;
    const message = `has sent nothing for ${seconds} seconds, ${this.parser.received} bytes into its snapshot`;
    return new InputError('input/connection-lost', this.label, message, 'is it stopped? its log tells');
  }

  close(): Promise<void> {
    this.closed = true;
    this.waiting.length = 0;
    this.disconnect();
    this.wake?.();
    return Promise.resolve();
  }
}
