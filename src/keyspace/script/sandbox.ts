import { sha1Hex } from '../../kernels/sha1.js';
import type { ScriptCalls } from './calls.js';
import { pushField } from './conversion.js';
import { openBit } from './libraries/bit.js';
import { openIntegers } from './libraries/integers.js';
import { openJson } from './libraries/json.js';
import { openMsgpack } from './libraries/msgpack.js';
import { openStruct } from './libraries/struct.js';
import { GLOBALS, NUMBER, STRING, type Thread } from './lua-exports.js';
import type { LuaFunction, LuaState } from './lua-state.js';
import { ERROR_HANDLER, PRELUDE } from './prelude.js';
import { RANDOM_MAX, type ScriptRandom } from './random.js';

/** Opens what scripts of a server find, and nothing else: no files, no system, no compiled code. */
export function openSandbox(lua: LuaState, calls: ScriptCalls, random: ScriptRandom, release: number): void {
  const { c, main } = lua;
  c.luaopen_base(main);
  c.luaopen_table(main);
  c.luaopen_string(main);
  c.luaopen_math(main);
  c.luaopen_debug(main);
  c.lua_settop(main, 0);
  openRedis(lua, calls, random, release);
  openRandom(lua, random);
  openBit(lua);
  openJson(lua);
  openMsgpack(lua);
  openStruct(lua);
  openIntegers(lua);
  lua.run(PRELUDE, '@prelude');
  lua.run(ERROR_HANDLER, '@err_handler_def');
  lua.run(protection(release), '@enable_strict_lua');
}

/** The first release that spells it so. */
const NONEXISTENT = 400;

/** Keeps scripts from making globals, and from reading those that are none. */
function protection(release: number): string {
  const absent = release < NONEXISTENT ? 'unexisting' : 'nonexistent';
  return `
local getinfo, tostring, rawset, rawget, error = debug.getinfo, tostring, rawset, rawget, error
setmetatable(_G, {
  __newindex = function(globals, name, value)
    if getinfo(2) then
      local what = getinfo(2, 'S').what
      if what ~= 'main' and what ~= 'C' then
        error("Script attempted to create global variable '" .. tostring(name) .. "'", 2)
      end
    end
    rawset(globals, name, value)
  end,
  __index = function(globals, name)
    if getinfo(2) and getinfo(2, 'S').what ~= 'C' then
      error("Script attempted to access ${absent} global variable '" .. tostring(name) .. "'", 2)
    end
    return rawget(globals, name)
  end,
})
debug = nil
`;
}

const LEVELS = ['LOG_DEBUG', 'LOG_VERBOSE', 'LOG_NOTICE', 'LOG_WARNING'];
const REPLICATION = { REPL_NONE: 0, REPL_AOF: 1, REPL_SLAVE: 2, REPL_ALL: 3 };
/** The first release with scripts that have their commands logged instead of themselves. */
const REPLICATES_COMMANDS = 302;
/** The first release with `redis.REPL_REPLICA`. */
const NAMES_REPLICAS = 500;

function openRedis(lua: LuaState, calls: ScriptCalls, random: ScriptRandom, release: number): void {
  const { c, main } = lua;
  const functions: Record<string, LuaFunction> = {
    call: (thread) => calls.call(thread, true),
    pcall: (thread) => calls.call(thread, false),
    sha1hex: (thread) => sha1hex(lua, thread),
    log: (thread) => log(lua, thread),
    error_reply: (thread) => fieldTable(lua, calls, thread, 'err'),
    status_reply: (thread) => fieldTable(lua, calls, thread, 'ok'),
  };
  if (release >= REPLICATES_COMMANDS) {
    functions['replicate_commands'] = (thread) => replicateCommands(lua, calls, random, thread);
    functions['set_repl'] = (thread) => setReplication(lua, calls, thread);
    functions['breakpoint'] = (thread) => {
      c.lua_pushboolean(thread, 0);
      return 1;
    };
    functions['debug'] = () => 0;
  }
  lua.pushLibrary(main, functions);
  for (const [level, name] of LEVELS.entries()) setNumber(lua, name, level);
  if (release >= REPLICATES_COMMANDS) {
    for (const [name, flags] of Object.entries(REPLICATION)) setNumber(lua, name, flags);
  }
  if (release >= NAMES_REPLICAS) setNumber(lua, 'REPL_REPLICA', REPLICATION.REPL_SLAVE);
  lua.setGlobal(main, 'redis');
}

function setNumber(lua: LuaState, name: string, value: number): void {
  lua.c.lua_pushnumber(lua.main, value);
  lua.setField(lua.main, -2, name);
}

function sha1hex(lua: LuaState, thread: Thread): number {
  if (lua.c.lua_gettop(thread) !== 1) return lua.raise(thread, 'wrong number of arguments');
  const text = lua.textAt(thread, 1) ?? '';
  lua.pushText(thread, sha1Hex(Buffer.from(text, 'latin1')));
  return 1;
}

/** Checks what it is given; there is no log to write to. */
function log(lua: LuaState, thread: Thread): number {
  const { c } = lua;
  if (c.lua_gettop(thread) < 2) return lua.raise(thread, 'redis.log() requires two arguments or more.');
  if (c.lua_isnumber(thread, 1) === 0) {
    return lua.raise(thread, 'First argument must be a number (log level).');
  }
  const level = Math.trunc(c.lua_tonumber(thread, 1));
  return level >= 0 && level < LEVELS.length ? 0 : lua.raise(thread, 'Invalid debug level.');
}

function fieldTable(lua: LuaState, calls: ScriptCalls, thread: Thread, name: string): number {
  const right = lua.c.lua_gettop(thread) === 1 && lua.c.lua_type(thread, 1) === STRING;
  if (right) pushField(lua, thread, name, lua.textAt(thread, 1)!);
  else pushField(lua, thread, 'err', calls.located(thread, 'wrong number or type of arguments'));
  return 1;
}

/** Says no once something was written: by then it is the script that is logged. */
function replicateCommands(lua: LuaState, calls: ScriptCalls, random: ScriptRandom, thread: Thread): number {
  const { conduct } = calls;
  if (!conduct.wrote) {
    conduct.replicates = true;
    random.seed(1);
  }
  lua.c.lua_pushboolean(thread, conduct.wrote ? 0 : 1);
  return 1;
}

function setReplication(lua: LuaState, calls: ScriptCalls, thread: Thread): number {
  if (!calls.conduct.replicates) {
    return lua.raise(
      thread,
      'You can set the replication behavior only after turning on single commands replication with redis.replicate_commands().',
    );
  }
  if (lua.c.lua_gettop(thread) !== 1) return lua.raise(thread, 'redis.set_repl() requires two arguments.');
  const flags = lua.c.lua_tonumber(thread, 1);
  if ((Math.trunc(flags) & ~REPLICATION.REPL_ALL) === 0) return 0;
  return lua.raise(thread, 'Invalid replication flags. Use REPL_AOF, REPL_SLAVE, REPL_ALL or REPL_NONE.');
}

/** `math.random` and `math.randomseed` as servers have them: the same numbers for every call of a script. */
function openRandom(lua: LuaState, random: ScriptRandom): void {
  const { c, main } = lua;
  lua.getField(main, GLOBALS, 'math');
  lua.pushFunction(main, (thread) => {
    const part = (random.next() % RANDOM_MAX) / RANDOM_MAX;
    const argc = c.lua_gettop(thread);
    if (argc > 2) return lua.raise(thread, 'wrong number of arguments', true);
    let value = part;
    if (argc > 0) {
      const low = argc === 1 ? 1 : integerArgument(lua, thread, 1);
      const high = integerArgument(lua, thread, argc);
      if (low > high) return lua.argumentError(thread, argc, 'interval is empty');
      value = argc === 1 ? Math.floor(part * high) + 1 : Math.floor(part * (high - low + 1)) + low;
    }
    c.lua_pushnumber(thread, value);
    return 1;
  });
  lua.setField(main, -2, 'random');
  lua.pushFunction(main, (thread) => {
    random.seed(integerArgument(lua, thread, 1));
    return 0;
  });
  lua.setField(main, -2, 'randomseed');
  c.lua_settop(main, 0);
}

/** Argument i cut to 32 bits, as C's `int`. */
function integerArgument(lua: LuaState, thread: Thread, i: number): number {
  if (lua.c.lua_type(thread, i) === NUMBER) return Math.trunc(lua.c.lua_tonumber(thread, i)) | 0;
  return Math.trunc(lua.numberArgument(thread, i)) | 0;
}
