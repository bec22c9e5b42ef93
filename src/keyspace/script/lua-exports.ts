/** A number that names a Lua thread in the memory of the module. */
export type Thread = number;

/** What is used of the C interface of Lua 5.1. Pointers and indices are numbers; strings are pointers. */
export interface LuaExports {
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: WebAssembly.Table;
  __wasm_call_ctors(): void;
  malloc(size: number): number;
  free(pointer: number): void;
  stackSave(): number;
  stackRestore(pointer: number): void;
  setThrew(threw: number, value: number): void;
  luaL_argerror(thread: Thread, argument: number, problem: number): number;
  luaL_newstate(): Thread;
  luaL_loadbuffer(thread: Thread, text: number, size: number, name: number): number;
  luaL_typerror(thread: Thread, argument: number, wanted: number): number;
  luaL_where(thread: Thread, level: number): void;
  luaopen_base(thread: Thread): number;
  luaopen_table(thread: Thread): number;
  luaopen_string(thread: Thread): number;
  luaopen_math(thread: Thread): number;
  luaopen_debug(thread: Thread): number;
  lua_checkstack(thread: Thread, slots: number): number;
  lua_concat(thread: Thread, count: number): void;
  lua_createtable(thread: Thread, elements: number, fields: number): void;
  lua_error(thread: Thread): number;
  lua_getfield(thread: Thread, index: number, name: number): void;
  lua_gettable(thread: Thread, index: number): void;
  lua_gettop(thread: Thread): number;
  lua_isnumber(thread: Thread, index: number): number;
  lua_next(thread: Thread, index: number): number;
  lua_objlen(thread: Thread, index: number): number;
  lua_pcall(thread: Thread, args: number, results: number, handler: number): number;
  lua_pushboolean(thread: Thread, value: number): void;
  lua_pushcclosure(thread: Thread, slot: number, upvalues: number): void;
  lua_pushlightuserdata(thread: Thread, pointer: number): void;
  lua_pushlstring(thread: Thread, text: number, size: number): void;
  lua_pushnil(thread: Thread): void;
  lua_pushnumber(thread: Thread, value: number): void;
  lua_pushvalue(thread: Thread, index: number): void;
  lua_rawgeti(thread: Thread, index: number, key: number): void;
  lua_rawset(thread: Thread, index: number): void;
  lua_rawseti(thread: Thread, index: number, key: number): void;
  lua_remove(thread: Thread, index: number): void;
  lua_replace(thread: Thread, index: number): void;
  lua_setfield(thread: Thread, index: number, name: number): void;
  lua_sethook(thread: Thread, slot: number, mask: number, count: number): number;
  lua_settable(thread: Thread, index: number): void;
  lua_settop(thread: Thread, index: number): void;
  lua_toboolean(thread: Thread, index: number): number;
  lua_tocfunction(thread: Thread, index: number): number;
  lua_tolstring(thread: Thread, index: number, size: number): number;
  lua_tonumber(thread: Thread, index: number): number;
  lua_touserdata(thread: Thread, index: number): number;
  lua_type(thread: Thread, index: number): number;
  lua_typename(thread: Thread, type: number): number;
}

/** Pseudo-index of the table of globals. */
export const GLOBALS = -10002;

export const NIL = 0;
export const BOOLEAN = 1;
export const LIGHT = 2;
export const NUMBER = 3;
export const STRING = 4;
export const TABLE = 5;
