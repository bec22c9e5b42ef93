import { BOOLEAN, NIL, NUMBER, STRING, TABLE, type Thread } from './lua-exports.js';
import type { LuaState } from './lua-state.js';
import { Failure, type Reply, Status } from './reply.js';

/** Pushes a reply as scripts see it: nil is false, a status a table with `ok`, an error one with `err`. */
export function pushReply(lua: LuaState, thread: Thread, reply: Reply): void {
  const { c } = lua;
  if (typeof reply === 'number') c.lua_pushnumber(thread, reply);
  else if (typeof reply === 'string') lua.pushText(thread, reply);
  else if (reply === null) c.lua_pushboolean(thread, 0);
  else if (reply instanceof Status) pushField(lua, thread, 'ok', reply.text);
  else if (reply instanceof Failure) pushField(lua, thread, 'err', reply.text);
  else {
    lua.reserve(thread, 4);
    c.lua_createtable(thread, reply.length, 0);
    for (let i = 0; i < reply.length; i++) {
      pushReply(lua, thread, reply[i]!);
      c.lua_rawseti(thread, -2, i + 1);
    }
  }
}

/** Pushes a table with one field. */
export function pushField(lua: LuaState, thread: Thread, name: string, text: string): void {
  lua.c.lua_createtable(thread, 0, 1);
  lua.pushText(thread, text);
  lua.setField(thread, -2, name);
}

const INT64_MIN = -(2 ** 63);
const DEPTH_MAX = 100;

/** What a client is told of the value at an index; the stack is as it was. Tables are followed so deep and no deeper. */
export function readReply(lua: LuaState, thread: Thread, index: number, depth = 0): Reply {
  const { c } = lua;
  const type = c.lua_type(thread, index);
  if (type === STRING) return lua.textAt(thread, index)!;
  if (type === NUMBER) return wholeOf(c.lua_tonumber(thread, index));
  if (type === BOOLEAN) return c.lua_toboolean(thread, index) === 1 ? 1 : null;
  if (type !== TABLE || depth > DEPTH_MAX) return null;
  const table = index < 0 ? c.lua_gettop(thread) + index + 1 : index;
  lua.reserve(thread, 4);
  const error = fieldText(lua, thread, table, 'err');
  if (error !== null) return new Failure(oneLine(error));
  const status = fieldText(lua, thread, table, 'ok');
  if (status !== null) return new Status(oneLine(status));
  const replies: Reply[] = [];
  for (let i = 1; ; i++) {
    c.lua_rawgeti(thread, table, i);
    const ended = c.lua_type(thread, -1) === NIL;
    if (!ended) replies.push(readReply(lua, thread, -1, depth + 1));
    lua.pop(thread);
    if (ended) return replies;
  }
}

function fieldText(lua: LuaState, thread: Thread, table: number, name: string): string | null {
  lua.getField(thread, table, name);
  const text = lua.isText(thread, -1) ? lua.textAt(thread, -1) : null;
  lua.pop(thread);
  return text;
}

/** As C converts a double to a 64-bit integer on the machines that servers run on. */
function wholeOf(value: number): number {
  const whole = Math.trunc(value) + 0;
  return whole >= INT64_MIN && whole < -INT64_MIN ? whole : INT64_MIN;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, ' ');
}
