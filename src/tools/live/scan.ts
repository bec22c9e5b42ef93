import { InputError } from '../../errors.js';
import { type Answer, isReplyError, type Reply } from '../../live/connection.js';
import type { ServerFacts } from '../../live/facts.js';
import { replyErrorOf } from '../../live/failure.js';
import { asInputError } from '../../live/input-error.js';
import type { QuestionChannel } from '../../live/questions.js';
import type { SeenNames } from './seen-names.js';

/** Keys that a server looks for in one go, and the most and fewest that are asked for in one. */
const SCAN_COUNT = 1000;
const BATCH_MAX = 512;
const BATCH_FIRST = 32;
/** Bytes of values that are asked for at a time, about: they wait in the server and here. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** No server has more databases. */
const DATABASES_MAX = 65_536;

/** Reads the keys of a batch, and returns about how many bytes that came to. */
export type BatchReader = (database: number, names: readonly Buffer[]) => Promise<number>;

/** Goes over all keys of one server by SCAN. Each name is met once; one that was there all the time is met. */
export class KeyScan {
  private batch = BATCH_FIRST;

  constructor(
    private readonly connection: QuestionChannel,
    /** Shared by the masters of a cluster: a key on the move may be on two. */
    private readonly seen: SeenNames,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws InputError when the server refuses or goes away */
  async run(databases: readonly number[], read: BatchReader): Promise<void> {
    for (const database of databases) {
      if (database > 0) refused(await this.connection.ask([['SELECT', database]]), this.connection.label);
      await this.scan(database, read);
    }
  }

  private async scan(database: number, read: BatchReader): Promise<void> {
    let cursor = '0';
    do {
      this.signal.throwIfAborted();
      const [answer] = await this.connection.ask([['SCAN', cursor, 'COUNT', SCAN_COUNT]]);
      const page = pageOf(answer!, this.connection.label);
      cursor = page.cursor;
      const names = page.names.filter((name) => this.seen.add(database, name));
      for (let at = 0; at < names.length; ) {
        const some = names.slice(at, at + this.batch);
        at += some.length;
        this.adapt(some.length, await read(database, some));
        this.signal.throwIfAborted();
      }
    } while (cursor !== '0');
  }

  private adapt(keys: number, bytes: number): void {
    const fitting = Math.floor(BATCH_BYTES / Math.max(1, bytes / keys));
    this.batch = Math.max(1, Math.min(BATCH_MAX, this.batch * 2, fitting));
  }
}

function pageOf(answer: Answer, label: string): { cursor: string; names: Buffer[] } {
  if (isReplyError(answer)) throw asInputError(replyErrorOf(answer.message, label, 'SCAN'), label);
  const [cursor, names] = Array.isArray(answer) ? (answer as readonly Reply[]) : [];
  if (Buffer.isBuffer(cursor) && Array.isArray(names) && names.every(Buffer.isBuffer)) {
    return { cursor: cursor.latin1Slice(), names: names as Buffer[] };
  }
  throw strange(label, 'SCAN');
}

/** @throws InputError for the first error among the answers */
export function refused(answers: readonly Answer[], label: string, subject = ''): void {
  const error = answers.find(isReplyError);
  if (error !== undefined) throw asInputError(replyErrorOf(error.message, label, subject), label);
}

/** A server that answers what no server does. */
export function strange(label: string, command: string): InputError {
  const message = `answers ${command} as no server does`;
  return new InputError('input/server', label, message, 'is it a Redis or Valkey server?');
}

/** Databases that may hold keys: as the server says, else one after the other as long as it has them. */
export async function databasesOf(
  connection: QuestionChannel,
  facts: ServerFacts | null,
): Promise<readonly number[]> {
  if (facts !== null) return facts.isCluster ? [0] : [...facts.keys.keys()].sort((a, b) => a - b);
  const found: number[] = [];
  for (let database = 0; database < DATABASES_MAX; database++) {
    const [selected] = await connection.ask([['SELECT', database]]);
    if (isReplyError(selected)) break;
    found.push(database);
  }
  await connection.ask([['SELECT', 0]]);
  return found;
}
