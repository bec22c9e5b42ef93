import { InputError } from '../../errors.js';
import { type Answer, isReplyError } from '../../live/connection.js';
import type { QuestionChannel, Words } from '../../live/questions.js';
import type { KeyRecord, RedisValue } from '../../model/value.js';
import type { RecordTeller } from '../tell-record.js';
import { type ExpiryQuestion, sameExpiry } from './expiry.js';
import { refused, strange } from './scan.js';
import type { ToldStream } from './stream-answer.js';
import {
  SIZE_COMMANDS,
  valueIn,
  valueInPieces,
  WHOLE_MAX,
  wholeCommand,
  withFieldExpiry,
} from './value-questions.js';

/** How often a key is read again that changed while it was read. */
const TRIES = 20;
const WRONG_TYPE = /^WRONGTYPE/;

export interface TypeReaderOptions {
  readonly expiry: ExpiryQuestion;
  /** Whether fields of hashes may have a TTL there. */
  readonly fieldTtls: boolean;
  readonly teller: RecordTeller;
  /** How errors name a key (one character per byte). */
  readonly shown: (name: string) => string;
}

/** A key on its way: what is known of it so far. */
interface Asked {
  readonly name: Buffer;
  readonly kind: string;
  readonly expiresAtMs: number | null;
  readonly whole: boolean;
}

/** What was left out or read in a way that must be said. */
export class TypeRemarks {
  /** Keys of types that only DUMP tells, by type, and the first of each. */
  readonly unreadable = new Map<string, { count: number; first: string }>();
  /** Parts of streams that nothing tells, by what. */
  readonly untold = new Map<string, number>();
  /** Values that were read in pieces. */
  pieces = 0;
}

/** Reads keys by the commands of their types, for servers that refuse DUMP. */
export class TypeReader {
  constructor(
    private readonly channel: QuestionChannel,
    private readonly options: TypeReaderOptions,
    private readonly remarks: TypeRemarks,
  ) {}

  /** Returns about how many bytes the values have. @throws InputError */
  async read(database: number, names: readonly Buffer[]): Promise<number> {
    let bytes = 0;
    let left = names;
    for (let tries = 0; left.length > 0; tries++) {
      if (tries === TRIES) throw this.restless(left[0]!);
      const again: Buffer[] = [];
      const asked = await this.look(left);
      for (const each of asked.filter(({ whole }) => !whole)) {
        const size = await this.piecewise(database, each);
        if (size === null) again.push(each.name);
        else bytes += size;
      }
      const whole = asked.filter((each) => each.whole);
      const { commands, width } = this.wholly(whole);
      const answers = await this.channel.ask(commands);
      for (const [i, each] of whole.entries()) {
        const size = await this.take(database, each, answers.slice(i * width, (i + 1) * width));
        if (size === null) again.push(each.name);
        else bytes += size;
      }
      left = again;
    }
    return bytes;
  }

  /** Type, size and expiry of keys; without those that are gone or cannot be read. */
  private async look(names: readonly Buffer[]): Promise<readonly Asked[]> {
    const { channel, options } = this;
    const { expiry } = options;
    const width = expiry.commands(names[0]!).length + 1;
    const answers = await channel.ask(names.flatMap((name) => [...expiry.commands(name), ['TYPE', name]]));
    const found: Asked[] = [];
    for (const [i, name] of names.entries()) {
      const mine = answers.slice(i * width, (i + 1) * width);
      this.refuse(mine, name);
      const kind = String(mine.at(-1));
      const expiresAtMs = expiry.of(mine);
      if (kind === 'none' || expiresAtMs === undefined) continue;
      if (kind in SIZE_COMMANDS) found.push({ name, kind, expiresAtMs, whole: true });
      else this.unreadable(kind, name);
    }
    const sized = found.filter(({ kind }) => SIZE_COMMANDS[kind] !== null);
    const sizes = await channel.ask(sized.map(({ kind, name }) => [SIZE_COMMANDS[kind]!, name]));
    const large = new Set(sized.filter(({ kind }, i) => kind !== 'stream' && Number(sizes[i]) > WHOLE_MAX));
    return found.map((each) => (large.has(each) ? { ...each, whole: false } : each));
  }

  private wholly(keys: readonly Asked[]): { commands: readonly Words[]; width: number } {
    const { expiry } = this.options;
    const commands = keys.flatMap(({ kind, name }) => [wholeCommand(kind, name), ...expiry.commands(name)]);
    return { commands, width: keys.length === 0 ? 0 : commands.length / keys.length };
  }

  /** Null when the key changed meanwhile. */
  private async take(database: number, asked: Asked, answers: readonly Answer[]): Promise<number | null> {
    const { name, kind } = asked;
    const [answer, ...rest] = answers;
    if (isReplyError(answer) && WRONG_TYPE.test(answer.message)) return null;
    if (isReplyError(answer) && /no such key/i.test(answer.message)) return 0;
    this.refuse(answers, name);
    let told: RedisValue | ToldStream | null;
    try {
      told = valueIn(kind, answer!);
    } catch {
      throw strange(this.channel.label, String(wholeCommand(kind, name)[0]));
    }
    if (told === null) return 0;
    const after = this.options.expiry.of(rest);
    if (!sameExpiry(asked.expiresAtMs, after, this.options.expiry)) return null;
    if ('untold' in told) {
      for (const what of told.untold) this.remarks.untold.set(what, (this.remarks.untold.get(what) ?? 0) + 1);
    }
    return this.tell(database, asked, 'untold' in told ? told.value : told);
  }

  private async piecewise(database: number, asked: Asked): Promise<number | null> {
    const { channel, options } = this;
    const { name, kind } = asked;
    const value = await valueInPieces(channel, kind, name);
    if (value instanceof Error) {
      if (WRONG_TYPE.test(value.message)) return null;
      this.refuse([value], name);
      return null;
    }
    if (value === null) return 0;
    const after = options.expiry.of(await channel.ask(options.expiry.commands(name)));
    if (!sameExpiry(asked.expiresAtMs, after, options.expiry)) return null;
    this.remarks.pieces++;
    return this.tell(database, asked, value);
  }

  private async tell(
    database: number,
    { name, expiresAtMs }: Asked,
    value: RedisValue,
  ): Promise<number | null> {
    let whole = value;
    if (value.kind === 'hash' && this.options.fieldTtls) {
      const fields = await withFieldExpiry(this.channel, name, value.fields);
      if (fields instanceof Error) this.refuse([fields], name);
      if (fields === null || fields instanceof Error) return null;
      whole = { kind: 'hash', fields };
    }
    this.options.teller.tell({ ...PLAIN, database, key: name, value: whole, expiresAtMs });
    return sizeOf(whole);
  }

  private unreadable(kind: string, name: Buffer): void {
    const { unreadable } = this.remarks;
    const known = unreadable.get(kind);
    if (known === undefined) unreadable.set(kind, { count: 1, first: this.named(name) });
    else known.count++;
  }

  private refuse(answers: readonly Answer[], name: Buffer): void {
    if (answers.some(isReplyError)) refused(answers, this.channel.label, `key ${this.named(name)}`);
  }

  private named(name: Buffer): string {
    return this.options.shown(name.latin1Slice());
  }

  private restless(name: Buffer): InputError {
    const message = `key ${this.named(name)} changed each of the ${TRIES} times that it was read`;
    return new InputError('input/server', this.channel.label, message, 'run this again');
  }
}

const PLAIN = {
  idleSeconds: null,
  freq: null,
  metadata: null,
  encoding: '',
  offset: 0,
} satisfies Partial<KeyRecord>;

/** Bytes that were sent for it, about. */
function sizeOf(value: RedisValue): number {
  const sum = (texts: readonly Buffer[]): number => texts.reduce((bytes, text) => bytes + text.length, 0);
  switch (value.kind) {
    case 'string':
      return value.text.length;
    case 'list':
      return sum(value.elements);
    case 'set':
      return sum(value.members);
    case 'zset':
      return value.members.reduce((bytes, { member }) => bytes + member.length + 8, 0);
    case 'hash':
      return value.fields.reduce((bytes, { name, value: text }) => bytes + name.length + text.length, 0);
    case 'stream':
      return value.entries.reduce((bytes, { fields }) => bytes + sum(fields.flat()), 0);
    default:
      return 0;
  }
}
