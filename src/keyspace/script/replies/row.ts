import type { CommandSpans } from '../../../resp/command.js';
import type { Engine } from '../../engine.js';
import { indexAt } from '../../integers.js';
import { APPLIED, UNKNOWN } from '../../outcome.js';
import { Failure, OK, type Reply } from '../reply.js';
import { ScriptStopped } from '../stopped.js';

/** Executes a command and tells what a server replies. */
export type Replier = (engine: Engine, command: CommandSpans) => Reply;

/** What scripts are told of a command. Its arity was checked, by the widest of all releases. */
export interface ReplyRow {
  /** In upper case. */
  readonly name: string;
  readonly writes: boolean;
  readonly reply: Replier;
}

export function reads(name: string, reply: Replier): ReplyRow {
  return { name, writes: false, reply };
}

export function writes(name: string, reply: Replier): ReplyRow {
  return { name, writes: true, reply };
}

/** A command that replies OK, or why not. */
export function confirms(name: string): ReplyRow {
  return writes(name, (engine, command) => applied(engine, command) ?? OK);
}

/** Executes a command that changes something; null when it was, else why not. */
export function applied(engine: Engine, command: CommandSpans): Failure | null {
  const outcome = engine.execute(command);
  if (outcome === APPLIED) return null;
  if (outcome === UNKNOWN) throw unsupported(command);
  return new Failure(engine.lastError);
}

/** Ends a script that needs what is not known here. */
export function unsupported(command: CommandSpans): ScriptStopped {
  const name = command.latin1(0).toUpperCase();
  return new ScriptStopped({ code: 'aof/script-command', detail: { calls: name } });
}

export const WRONG_TYPE = new Failure('WRONGTYPE Operation against a key holding the wrong kind of value');
export const SYNTAX = new Failure('ERR syntax error');
export const NOT_INTEGER = new Failure('ERR value is not an integer or out of range');

/** A reply about the key of argument 1: `absent` when there is none, an error when it is of another kind. */
export function ofKind(
  kind: number,
  absent: Reply,
  reply: (engine: Engine, command: CommandSpans, entry: number) => Reply,
): Replier {
  return (engine, command) => {
    const entry = engine.find(command, 1);
    if (entry < 0) return absent;
    return engine.db.kindAt(entry) === kind ? reply(engine, command, entry) : WRONG_TYPE;
  };
}

/** Members of the key in argument i by `size`; 0 when there is none or it is of another kind. */
export function sizeAt(
  engine: Engine,
  command: CommandSpans,
  i: number,
  kind: number,
  size: (db: Engine['db'], entry: number) => number,
): number {
  const entry = engine.find(command, i);
  return entry < 0 || engine.db.kindAt(entry) !== kind ? 0 : size(engine.db, entry);
}

/** Arguments i and i + 1 as an inclusive range of `length` items, ends counted from the back when negative; null: no numbers. */
export function rangeAt(command: CommandSpans, i: number, length: number): readonly [number, number] | null {
  let from = indexAt(command, i);
  let to = indexAt(command, i + 1);
  if (Number.isNaN(from) || Number.isNaN(to)) return null;
  if (from < 0) from = Math.max(0, from + length);
  if (to < 0) to += length;
  return [from, Math.min(to, length - 1)];
}
