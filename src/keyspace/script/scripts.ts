import { sha1Hex } from '../../kernels/sha1.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { indexAt } from '../integers.js';
import { APPLIED, type Outcome, UNKNOWN } from '../outcome.js';
import { ScriptCalls } from './calls.js';
import { readReply } from './conversion.js';
import { GLOBALS, NIL } from './lua-exports.js';
import { LuaState, SCRIPT_LIMITS, type ScriptLimits } from './lua-state.js';
import { ScriptRandom } from './random.js';
import type { Reply } from './reply.js';
import { openSandbox } from './sandbox.js';
import { ScriptStopped } from './stopped.js';

/** A state with more functions than this is left for a new one. */
const FUNCTIONS_MAX = 10_000;
const SHA_LENGTH = 40;
/** The first release where a comment in the last line of a script is no syntax error. */
const ENDS_ON_NEW_LINE = 302;

/** Runs the scripts of a log: as on a server one Lua state serves all of them. */
export class Scripts {
  /** What the last script returned, as a client is told, when `keepsReply`; null before. */
  reply: Reply = null;
  keepsReply = false;
  private session: Session | null = null;

  constructor(
    private readonly engine: Engine,
    private readonly limits: ScriptLimits = SCRIPT_LIMITS,
  ) {}

  /** EVAL, or EVALSHA where argument 1 is the SHA1 of a script. */
  evaluate(command: CommandSpans, isSha: boolean): Outcome {
    const { engine } = this;
    const keys = indexAt(command, 2);
    if (Number.isNaN(keys)) return engine.notInteger();
    if (keys > command.argc - 3) {
      return engine.fail("ERR Number of keys can't be greater than number of args");
    }
    if (keys < 0) return engine.fail("ERR Number of keys can't be negative");
    const body = isSha ? this.bodyOf(command.latin1(1)) : command.latin1(1);
    if (body === null) {
      const sha = command.latin1(1).slice(0, SHA_LENGTH);
      engine.obstacle = { code: 'aof/unknown-script', detail: { sha } };
      engine.lastError = 'NOSCRIPT No matching script. Please use EVAL.';
      return UNKNOWN;
    }
    const { selected } = engine;
    try {
      return this.run(body, command, keys);
    } catch (error) {
      // Whatever passed through the state has left it in the middle of something.
      this.session = null;
      return this.stopped(error);
    } finally {
      engine.select(selected);
    }
  }

  private bodyOf(sha: string): string | null {
    return this.engine.keyspace.scripts.get(sha.toLowerCase()) ?? null;
  }

  private stopped(error: unknown): Outcome {
    const { engine } = this;
    const stop = error instanceof ScriptStopped ? error : overrun(error);
    if (stop === null) throw error;
    engine.obstacle = stop.obstacle;
    engine.lastError = stop.obstacle.code;
    return UNKNOWN;
  }

  private run(body: string, command: CommandSpans, keys: number): Outcome {
    if (this.session !== null && this.session.functions.size >= FUNCTIONS_MAX) this.session = null;
    this.session ??= new Session(this.engine, this.limits);
    const { lua } = this.session;
    const { c, main } = lua;
    this.session.begin();
    lua.getField(main, GLOBALS, '__redis__err__handler');
    const name = `f_${sha1Hex(Buffer.from(body, 'latin1'))}`;
    const problem = this.session.pushScript(name, body);
    if (problem !== null) return this.engine.fail(problem);
    this.session.setArguments('KEYS', command, 3, 3 + keys);
    this.session.setArguments('ARGV', command, 3 + keys, command.argc);
    const failed = c.lua_pcall(main, 0, 1, -2) !== 0;
    const text = failed ? `ERR Error running script (call to ${name}): ${lua.textAt(main, -1) ?? '?'}` : '';
    if (this.keepsReply && !failed) this.reply = readReply(lua, main, -1);
    c.lua_settop(main, 0);
    return failed ? this.engine.fail(text) : APPLIED;
  }
}

/** A Lua state with the functions of the scripts that ran in it. */
class Session {
  readonly lua: LuaState;
  /** Names of the functions of the scripts that ran. */
  readonly functions = new Set<string>();
  private readonly calls: ScriptCalls;
  private readonly random = new ScriptRandom();

  constructor(
    private readonly engine: Engine,
    limits: ScriptLimits,
  ) {
    this.lua = new LuaState(limits);
    this.calls = new ScriptCalls(engine, this.lua);
    openSandbox(this.lua, this.calls, this.random, engine.release);
  }

  begin(): void {
    this.random.seed(0);
    this.calls.conduct.reset();
    this.lua.rewind();
    this.lua.c.lua_settop(this.lua.main, 0);
  }

  /** Pushes the function of a script, compiled when it is new. Returns why it is none, or null. */
  pushScript(name: string, body: string): string | null {
    const { lua } = this;
    const { c, main } = lua;
    if (!this.functions.has(name)) {
      // As servers define it: what closes the function early ends up outside it there, too.
      const text = `function ${name}() ${body}${this.engine.release < ENDS_ON_NEW_LINE ? ' ' : '\n'}end`;
      if (!lua.load(main, text, '@user_script')) {
        return `ERR Error compiling script (new function): ${lua.textAt(main, -1) ?? '?'}`;
      }
      if (c.lua_pcall(main, 0, 0, 0) !== 0) {
        return `ERR Error running script (new function): ${lua.textAt(main, -1) ?? '?'}`;
      }
      this.functions.add(name);
      this.engine.keyspace.scripts.set(name.slice(2), body);
    }
    lua.pushText(main, name);
    c.lua_gettable(main, GLOBALS);
    return c.lua_type(main, -1) === NIL ? 'ERR the script defines nothing to run' : null;
  }

  /** Sets a global to a table of arguments `[from, to)`. */
  setArguments(name: string, command: CommandSpans, from: number, to: number): void {
    const { lua } = this;
    const { c, main } = lua;
    c.lua_createtable(main, to - from, 0);
    for (let i = from; i < to; i++) {
      lua.pushText(main, command.latin1(i));
      c.lua_rawseti(main, -2, i - from + 1);
    }
    lua.setGlobal(main, name);
  }
}

/** What ends a script that goes too deep, or that the machine itself stops; null for anything else. */
function overrun(error: unknown): ScriptStopped | null {
  const isTrap = error instanceof Error && error.constructor.name === 'RuntimeError';
  if (!(error instanceof RangeError) && !isTrap) return null;
  return new ScriptStopped({ code: 'aof/script-limit', detail: { what: 'depth', allowed: 0 } });
}
