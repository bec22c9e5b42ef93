import { ByteSlice } from '../../bytes/slice.js';
import { format17g } from '../../kernels/doubles.js';
import { arityFits, findCommand } from '../../model/commands.js';
import { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { pushField, pushReply } from './conversion.js';
import { NUMBER, type Thread } from './lua-exports.js';
import type { LuaState } from './lua-state.js';
import { isForbidden, isKnownTo, RANDOM, REPLIES, SORTED } from './replies/table.js';
import { Failure, type Reply } from './reply.js';
import { ScriptStopped } from './stopped.js';

/** What one script has done so far that decides what it may do. */
export class ScriptConduct {
  /** It called a command whose reply may differ between servers. */
  random = false;
  /** It called a command that writes. */
  wrote = false;
  /** It asked for its commands to be logged instead of itself. */
  replicates = false;

  reset(): void {
    this.random = this.wrote = this.replicates = false;
  }
}

const AFTER_RANDOM = 'Write commands not allowed after non deterministic commands';
const AFTER_RANDOM_ADVICE =
  '. Call redis.replicate_commands() at the start of your script in order to switch to single commands replication mode.';
/** The first release that knows `redis.replicate_commands`. */
const REPLICATES_COMMANDS = 302;
const CALL_STEPS = 10;

/** `redis.call` and `redis.pcall`: commands of scripts executed by an engine. */
export class ScriptCalls {
  readonly conduct = new ScriptConduct();
  private readonly command = new CommandSpans();
  private readonly slice = new ByteSlice();

  constructor(
    private readonly engine: Engine,
    private readonly lua: LuaState,
  ) {
    this.command.bytes = Buffer.allocUnsafeSlow(1024);
  }

  /** Executes the command on the stack and pushes its reply; an error is raised if `raises`. Returns 1. */
  call(thread: Thread, raises: boolean): number {
    const { lua } = this;
    const reply = this.read(thread) ? this.perform() : this.misread(thread);
    lua.spend(CALL_STEPS + (Array.isArray(reply) ? reply.length : 0));
    if (reply instanceof Refusal) {
      const text = this.located(thread, reply.text);
      // Before 3.2 a call that is none at all gives a table, whoever called.
      if (raises && !(reply.early && this.engine.release < REPLICATES_COMMANDS)) lua.raise(thread, text);
      pushField(lua, thread, 'err', text);
    } else if (raises && reply instanceof Failure) lua.raise(thread, reply.text);
    else pushReply(lua, thread, reply);
    return 1;
  }

  /** Makes a command of what is on the stack; false when something there is no text or number. */
  private read(thread: Thread): boolean {
    const { lua, command, slice } = this;
    const argc = lua.c.lua_gettop(thread);
    command.reserve(argc);
    command.argc = command.held = argc;
    let at = 0;
    for (let i = 0; i < argc; i++) {
      command.starts[i] = at;
      if (lua.c.lua_type(thread, i + 1) === NUMBER) {
        const text = format17g(lua.c.lua_tonumber(thread, i + 1));
        this.reserve(at, text.length);
        at += command.bytes.latin1Write(text, at);
      } else {
        if (!lua.textInto(thread, i + 1, slice)) return false;
        this.reserve(at, slice.length);
        at += slice.bytes.copy(command.bytes, at, slice.start, slice.end);
      }
      command.ends[i] = at;
    }
    return argc > 0;
  }

  private reserve(used: number, more: number): void {
    const { command } = this;
    if (used + more <= command.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow((used + more) * 2);
    command.bytes.copy(grown, 0, 0, used);
    command.bytes = grown;
  }

  private misread(thread: Thread): Refusal {
    const none = this.lua.c.lua_gettop(thread) === 0;
    if (none) return new Refusal('Please specify at least one argument for redis.call()', true);
    return new Refusal('Lua redis() command arguments must be strings or integers', true);
  }

  private perform(): Reply | Refusal {
    const { command, engine, conduct } = this;
    const known = findCommand(command.bytes, command.starts[0]!, command.ends[0]!);
    if (known === null || !isKnownTo(known, engine.release)) {
      return new Refusal('Unknown Redis command called from Lua script');
    }
    if (!arityFits(known, command.argc)) {
      return new Refusal('Wrong number of args calling Redis command From Lua script');
    }
    const { name } = known;
    if (isForbidden(name, engine.release))
      return new Refusal('This Redis command is not allowed from scripts');
    const row = REPLIES.get(name);
    if (row === undefined) throw new ScriptStopped({ code: 'aof/script-command', detail: { calls: name } });
    if (row.writes && conduct.random && !conduct.replicates) {
      return new Refusal(
        engine.release < REPLICATES_COMMANDS ? AFTER_RANDOM : AFTER_RANDOM + AFTER_RANDOM_ADVICE,
      );
    }
    if (RANDOM.has(name)) conduct.random = true;
    if (row.writes) conduct.wrote = true;
    const reply = row.reply(engine, command);
    return Array.isArray(reply) && SORTED.has(name) && !conduct.replicates ? sorted(reply) : reply;
  }

  /** A text with the place in the script that the function at hand was called from; C has none. */
  located(thread: Thread, text: string): string {
    const { lua } = this;
    lua.c.luaL_where(thread, 1);
    const where = /^(.*):(\d+): $/s.exec(lua.textAt(thread, -1)!);
    lua.pop(thread);
    return where === null ? `=[C]: -1: ${text}` : `@${where[1]}: ${where[2]}: ${text}`;
  }
}

/** An error before the command was executed: it names its place in the script. */
class Refusal {
  constructor(
    readonly text: string,
    readonly early = false,
  ) {}
}

/** In the order of bytes, nil like an empty text: servers sort what has no order of its own. */
function sorted(replies: readonly Reply[]): Reply[] {
  const textOf = (reply: Reply): string => (typeof reply === 'string' ? reply : '');
  return replies.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0));
}
