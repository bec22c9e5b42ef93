import { connect, type Socket } from 'node:net';

/** A word of a command: text is one byte per character. */
export type Word = string | Buffer;
export type Command = readonly Word[];

/** A reply, texts as they came; an error is a value, as a batch goes on behind it. */
export type Reply = Buffer | number | null | ReplyError | readonly Reply[];

export class ReplyError {
  constructor(readonly message: string) {}
}

/** Bytes of commands as clients send them and logs hold them. */
export function encode(commands: readonly Command[]): Buffer {
  const parts: Buffer[] = [];
  for (const command of commands) {
    parts.push(Buffer.from(`*${command.length}\r\n`));
    for (const word of command) {
      const bytes = typeof word === 'string' ? Buffer.from(word, 'latin1') : word;
      parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, LINE_END);
    }
  }
  return Buffer.concat(parts);
}

const LINE_END = Buffer.from('\r\n');

/** A client as plain as can be: the same for every release, and batches cost one write. */
export class Connection {
  private rest: Buffer = Buffer.alloc(0);
  private readonly waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = [];
  private failure: Error | null = null;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', (error) => this.end(error));
    socket.on('close', () => this.end(new Error('the server closed the connection')));
  }

  static open(path: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Connection(socket)));
    });
  }

  get pending(): number {
    return this.waiting.length;
  }

  /** True once the server has closed it. */
  get isGone(): boolean {
    return this.failure !== null;
  }

  /** @throws Error for a reply that is one, and when the server is gone */
  async call(...command: Word[]): Promise<Exclude<Reply, ReplyError>> {
    const [reply] = await this.batch([command]);
    if (reply instanceof ReplyError) throw new Error(`${command[0]}: ${reply.message}`);
    return reply!;
  }

  /** One text. */
  async text(...command: Word[]): Promise<string> {
    return String(await this.call(...command));
  }

  /** Replies in order. @throws Error when the server is gone */
  batch(commands: readonly Command[]): Promise<Reply[]> {
    if (this.failure !== null) return Promise.reject(this.failure);
    this.socket.write(encode(commands));
    return Promise.all(
      commands.map(() => new Promise<Reply>((resolve, reject) => this.waiting.push({ resolve, reject }))),
    );
  }

  close(): void {
    this.socket.destroy();
  }

  private end(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }

  private take(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    for (;;) {
      const parsed = parse(bytes, at);
      if (parsed === null) break;
      at = parsed.end;
      this.waiting.shift()?.resolve(parsed.reply);
    }
    this.rest = bytes.subarray(at);
  }
}

/** The reply that begins at `start`; null when it is not all there. */
function parse(bytes: Buffer, start: number): { reply: Reply; end: number } | null {
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd < 0) return null;
  const line = bytes.latin1Slice(start + 1, lineEnd);
  const after = lineEnd + 2;
  switch (bytes[start]) {
    case 0x2b:
      return { reply: Buffer.from(line, 'latin1'), end: after };
    case 0x2d:
      return { reply: new ReplyError(line), end: after };
    case 0x3a:
      return { reply: Number(line), end: after };
    case 0x24: {
      const length = Number(line);
      if (length < 0) return { reply: null, end: after };
      if (bytes.length < after + length + 2) return null;
      return { reply: bytes.subarray(after, after + length), end: after + length + 2 };
    }
    default:
      return parseArray(bytes, after, Number(line));
  }
}

function parseArray(bytes: Buffer, start: number, count: number): { reply: Reply; end: number } | null {
  if (count < 0) return { reply: null, end: start };
  const items: Reply[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const item = parse(bytes, at);
    if (item === null) return null;
    items.push(item.reply);
    at = item.end;
  }
  return { reply: items, end: at };
}
