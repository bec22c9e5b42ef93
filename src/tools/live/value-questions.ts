import { type Answer, isReplyError, type Reply } from '../../live/connection.js';
import type { QuestionChannel, Words } from '../../live/questions.js';
import type { HashField, RedisValue } from '../../model/value.js';
import { streamOf, type ToldStream } from './stream-answer.js';

/** Kinds of value that commands tell wholly, and how many elements each has. */
export const SIZE_COMMANDS: Readonly<Record<string, string | null>> = {
  string: null,
  list: 'LLEN',
  set: 'SCARD',
  zset: 'ZCARD',
  hash: 'HLEN',
  stream: 'XLEN',
};

/** Values of up to this many elements are asked for in one go, which is one moment of the server. */
export const WHOLE_MAX = 10_000;
/** Elements asked for at a time of larger ones. */
const PIECE = 5000;

/** One command that tells all of a value. */
export function wholeCommand(kind: string, key: Buffer): Words {
  if (kind === 'string') return ['GET', key];
  if (kind === 'list') return ['LRANGE', key, 0, -1];
  if (kind === 'set') return ['SMEMBERS', key];
  if (kind === 'zset') return ['ZRANGE', key, 0, -1, 'WITHSCORES'];
  if (kind === 'hash') return ['HGETALL', key];
  return ['XINFO', 'STREAM', key, 'FULL', 'COUNT', 0];
}

/** The value that the answer to `wholeCommand` tells; null when nothing was there. @throws Error when it is none */
export function valueIn(kind: string, answer: Answer): RedisValue | ToldStream | null {
  if (kind === 'stream') return streamOf(answer);
  if (kind === 'string') return Buffer.isBuffer(answer) ? { kind, text: answer } : null;
  const texts = textsOf(answer);
  if (texts.length === 0) return null;
  if (kind === 'list') return { kind, elements: texts };
  if (kind === 'set') return { kind, members: texts };
  if (kind === 'zset') {
    return { kind, members: pairsOf(texts).map(([member, score]) => ({ member, score: scoreOf(score) })) };
  }
  return {
    kind: 'hash',
    fields: pairsOf(texts).map(([name, value]) => ({ name, value, expiresAtMs: null })),
  };
}

/** A large value, piece by piece: elements that are there all the time are met, and each once. Null: it is gone. */
export async function valueInPieces(
  channel: QuestionChannel,
  kind: string,
  key: Buffer,
): Promise<RedisValue | null | Error> {
  if (kind === 'list') return listInPieces(channel, key);
  const found = new Map<string, readonly [Buffer, Buffer]>();
  const command = kind === 'set' ? 'SSCAN' : kind === 'zset' ? 'ZSCAN' : 'HSCAN';
  let cursor = '0';
  do {
    const [answer] = await channel.ask([[command, key, cursor, 'COUNT', PIECE]]);
    if (isReplyError(answer)) return answer;
    const [next, page] = answer as readonly Reply[];
    cursor = (next as Buffer).latin1Slice();
    const texts = textsOf(page as Answer);
    const pairs = kind === 'set' ? texts.map((text) => [text, text] as const) : pairsOf(texts);
    for (const pair of pairs) found.set(pair[0].latin1Slice(), pair);
  } while (cursor !== '0');
  const all = [...found.values()];
  if (all.length === 0) return null;
  if (kind === 'set') return { kind, members: all.map(([member]) => member) };
  if (kind === 'zset') {
    return { kind, members: all.map(([member, score]) => ({ member, score: scoreOf(score) })) };
  }
  return { kind: 'hash', fields: all.map(([name, value]) => ({ name, value, expiresAtMs: null })) };
}

async function listInPieces(channel: QuestionChannel, key: Buffer): Promise<RedisValue | null | Error> {
  const elements: Buffer[] = [];
  for (;;) {
    const [answer] = await channel.ask([['LRANGE', key, elements.length, elements.length + PIECE - 1]]);
    if (isReplyError(answer)) return answer;
    const texts = textsOf(answer!);
    for (const text of texts) elements.push(text);
    if (texts.length < PIECE) return elements.length === 0 ? null : { kind: 'list', elements };
  }
}

/** Asks when fields go. Null: the hash changed meanwhile. @throws what the server answers */
export async function withFieldExpiry(
  channel: QuestionChannel,
  key: Buffer,
  fields: readonly HashField[],
): Promise<readonly HashField[] | null | Error> {
  const commands: Words[] = [];
  for (let at = 0; at < fields.length; at += PIECE) {
    const names = fields.slice(at, at + PIECE).map(({ name }) => name);
    commands.push(['HPEXPIRETIME', key, 'FIELDS', names.length, ...names]);
  }
  const answers = await channel.ask(commands);
  const error = answers.find(isReplyError);
  if (error !== undefined) return error;
  const times = answers.flatMap((answer) => (Array.isArray(answer) ? (answer as readonly Reply[]) : []));
  if (times.length !== fields.length || times.includes(-2)) return null;
  return fields.map((field, i) => ({
    ...field,
    expiresAtMs: Number(times[i]) < 0 ? null : Number(times[i]),
  }));
}

function textsOf(answer: Answer): readonly Buffer[] {
  if (Array.isArray(answer) && (answer as readonly Reply[]).every(Buffer.isBuffer))
    return answer as readonly Buffer[];
  throw new Error('an array of texts was expected');
}

function pairsOf(texts: readonly Buffer[]): (readonly [Buffer, Buffer])[] {
  const pairs: (readonly [Buffer, Buffer])[] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) pairs.push([texts[i]!, texts[i + 1]!]);
  return pairs;
}

function scoreOf(text: Buffer): number {
  const score = text.latin1Slice();
  if (/^[+-]?inf$/i.test(score))
    return score.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(score);
}
