import { ByteSlice } from '../../bytes/slice.js';
import { GLOBALS, type LuaExports, STRING, type Thread } from './lua-exports.js';
import { absent, luaModule } from './lua-module.js';
import { ScriptStopped } from './stopped.js';

/** How far a script may go before it is stopped. */
export interface ScriptLimits {
  /** Bytes of memory for everything Lua holds. */
  readonly memoryBytes: number;
  /** Steps of the Lua machine for one script; a command it calls counts as many as its reply has elements, and ten. */
  readonly steps: number;
}

export const SCRIPT_LIMITS: ScriptLimits = { memoryBytes: 256 * 1024 * 1024, steps: 200_000_000 };

/** A function that scripts can call: it finds its arguments on the stack from 1 on, and returns how many results it pushed. */
export type LuaFunction = (thread: Thread) => number;

const PAGE = 65536;
const HOOK_STEPS = 100_000;
const MASK_COUNT = 8;
/** The module that makes a function of ours one that WebAssembly can call, by the bytes of its type. */
const CALLABLE = callable([0x60, 1, 0x7f, 1, 0x7f]);
const HOOK = callable([0x60, 2, 0x7f, 0x7f, 0]);
const SCRATCH_BYTES = 64 * 1024;

/**
 * A Lua state in a memory of its own: no libraries are open, and nothing in it reaches the system. An index on a stack
 * is as in C: from 1 on, or negative from the top.
 */
export class LuaState {
  readonly c: LuaExports;
  readonly main: Thread;
  private bytes: Buffer;
  private readonly names = new Map<string, number>();
  private readonly sizeAt: number;
  private scratch: number;
  private scratchBytes = SCRATCH_BYTES;
  private steps = 0;
  private readonly slice = new ByteSlice();

  /** @throws ScriptStopped when there is no Lua to be had */
  constructor(private readonly limits: ScriptLimits) {
    const module = luaModule();
    try {
      this.c = new WebAssembly.Instance(module, this.imports(module)).exports as unknown as LuaExports;
      this.c.__wasm_call_ctors();
      this.bytes = Buffer.from(this.c.memory.buffer);
      this.sizeAt = this.c.malloc(8);
      this.scratch = this.c.malloc(SCRATCH_BYTES);
      this.main = this.c.luaL_newstate();
    } catch (error) {
      throw absent(error instanceof Error ? error.message : String(error));
    }
    const hook = this.place(HOOK, () => this.spend(HOOK_STEPS));
    this.c.lua_sethook(this.main, hook, MASK_COUNT, HOOK_STEPS);
  }

  /** Begins to count steps anew. */
  rewind(): void {
    this.steps = 0;
  }

  /** @throws ScriptStopped when the script has made all the steps it may */
  spend(steps: number): void {
    this.steps += steps;
    if (this.steps > this.limits.steps) throw limit('steps', this.limits.steps);
  }

  // Values in

  pushText(thread: Thread, text: string): void {
    const at = this.room(text.length);
    this.heap.latin1Write(text, at, text.length);
    this.c.lua_pushlstring(thread, at, text.length);
  }

  pushFunction(thread: Thread, body: LuaFunction): void {
    this.c.lua_pushcclosure(thread, this.place(CALLABLE, body), 0);
  }

  /** Sets a field of the table at an index to what is on top of the stack, which is taken off. */
  setField(thread: Thread, index: number, name: string): void {
    this.c.lua_setfield(thread, index, this.nameAt(name));
  }

  getField(thread: Thread, index: number, name: string): void {
    this.c.lua_getfield(thread, index, this.nameAt(name));
  }

  setGlobal(thread: Thread, name: string): void {
    this.setField(thread, GLOBALS, name);
  }

  /** Pushes a table of functions by their names. */
  pushLibrary(thread: Thread, functions: Readonly<Record<string, LuaFunction>>): void {
    this.c.lua_createtable(thread, 0, 0);
    for (const [name, body] of Object.entries(functions)) {
      this.pushFunction(thread, body);
      this.setField(thread, -2, name);
    }
  }

  /** Puts a function before the one that a field of the table on top holds; it may go on as that one. */
  wrap(thread: Thread, name: string, body: (thread: Thread, original: LuaFunction) => number): void {
    this.getField(thread, -1, name);
    const original = this.c.__indirect_function_table.get(this.c.lua_tocfunction(thread, -1)) as LuaFunction;
    this.pop(thread);
    this.pushFunction(thread, (called) => body(called, original));
    this.setField(thread, -2, name);
  }

  // Values out

  /** Sets `into` to the text or number at an index, until Lua runs again; false for anything else. */
  textInto(thread: Thread, index: number, into: ByteSlice): boolean {
    const at = this.c.lua_tolstring(thread, index, this.sizeAt);
    if (at === 0) return false;
    const { heap } = this;
    into.set(heap, at, at + heap.readUInt32LE(this.sizeAt));
    return true;
  }

  /** The text or number at an index, one character per byte; null for anything else. A number there becomes a text. */
  textAt(thread: Thread, index: number): string | null {
    return this.textInto(thread, index, this.slice) ? this.slice.latin1() : null;
  }

  /** The type's name of the value at an index. */
  typeNameAt(thread: Thread, index: number): string {
    const at = this.c.lua_typename(thread, this.c.lua_type(thread, index));
    return this.heap.latin1Slice(at, this.heap.indexOf(0, at));
  }

  // Running

  /** Compiles a text and pushes the function; returns false and pushes the message when it is none. */
  load(thread: Thread, text: string, name: string): boolean {
    const at = this.room(text.length);
    this.heap.latin1Write(text, at, text.length);
    return this.c.luaL_loadbuffer(thread, at, text.length, this.nameAt(name)) === 0;
  }

  /** Runs a text of ours that must not fail. */
  run(text: string, name: string): void {
    const done = this.load(this.main, text, name) && this.c.lua_pcall(this.main, 0, 0, 0) === 0;
    if (!done) throw absent(this.textAt(this.main, -1) ?? 'it fails');
  }

  pop(thread: Thread, count = 1): void {
    this.c.lua_settop(thread, -count - 1);
  }

  /** Ends the function at hand with an error; `where`: the place in the script goes before the text. */
  raise(thread: Thread, text: string, where = false): never {
    if (where) this.c.luaL_where(thread, 1);
    this.pushText(thread, text);
    if (where) this.c.lua_concat(thread, 2);
    this.c.lua_error(thread);
    throw new Error('lua_error returned');
  }

  /** Ends the function at hand for what is wrong with an argument of it. */
  argumentError(thread: Thread, argument: number, problem: string): never {
    this.c.luaL_argerror(thread, argument, this.terminated(problem));
    throw new Error('luaL_argerror returned');
  }

  private typeError(thread: Thread, argument: number, wanted: string): never {
    this.c.luaL_typerror(thread, argument, this.terminated(wanted));
    throw new Error('luaL_typerror returned');
  }

  /** Argument i as a number. */
  numberArgument(thread: Thread, i: number): number {
    if (this.c.lua_isnumber(thread, i) === 0) this.typeError(thread, i, 'number');
    return this.c.lua_tonumber(thread, i);
  }

  /** Argument i as a text, one character per byte. */
  textArgument(thread: Thread, i: number): string {
    const text = this.c.lua_type(thread, i) < 0 ? null : this.textAt(thread, i);
    return text ?? this.typeError(thread, i, 'string');
  }

  isText(thread: Thread, index: number): boolean {
    return this.c.lua_type(thread, index) === STRING;
  }

  /** Makes sure that so many more values fit on the stack. */
  reserve(thread: Thread, slots: number): void {
    if (this.c.lua_checkstack(thread, slots) === 0) this.raise(thread, 'stack overflow', true);
  }

  private get heap(): Buffer {
    // A memory that grew has left its old buffer without bytes.
    if (this.bytes.length === 0) this.bytes = Buffer.from(this.c.memory.buffer);
    return this.bytes;
  }

  /** A place for so many bytes, until the next call. */
  private room(size: number): number {
    if (size <= this.scratchBytes) return this.scratch;
    const at = this.c.malloc(size * 2);
    if (at === 0) throw limit('memory', this.limits.memoryBytes);
    this.c.free(this.scratch);
    this.scratchBytes = size * 2;
    this.scratch = at;
    return at;
  }

  /** A text as C has it, until the next call. */
  private terminated(text: string): number {
    const at = this.room(text.length + 1);
    this.heap.latin1Write(`${text}\0`, at, text.length + 1);
    return at;
  }

  private nameAt(name: string): number {
    let at = this.names.get(name);
    if (at === undefined) {
      at = this.c.malloc(name.length + 1);
      this.heap.latin1Write(`${name}\0`, at, name.length + 1);
      this.names.set(name, at);
    }
    return at;
  }

  /** Puts a function into the table that function pointers are places of. */
  private place(wrapper: WebAssembly.Module, body: (thread: Thread) => unknown): number {
    const table = this.c.__indirect_function_table;
    const slot = table.grow(1);
    table.set(slot, new WebAssembly.Instance(wrapper, { e: { f: body } }).exports['f']);
    return slot;
  }

  private imports(module: WebAssembly.Module): Record<string, Record<string, unknown>> {
    const imports: Record<string, Record<string, unknown>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] = () => {
        throw limit(`call of ${name}`, 0);
      };
    }
    imports['wasi_snapshot_preview1'] = {
      ...imports['wasi_snapshot_preview1'],
      environ_get: () => 0,
      environ_sizes_get: (countAt: number, bytesAt: number) => {
        const words = new DataView(this.c.memory.buffer);
        words.setUint32(countAt, 0, true);
        words.setUint32(bytesAt, 0, true);
        return 0;
      },
    };
    imports['env'] = {
      ...imports['env'],
      invoke_vii: (slot: number, a: number, b: number) => this.invoke(slot, a, b),
      _emscripten_throw_longjmp: () => {
        throw LONGJMP;
      },
      emscripten_memcpy_js: (to: number, from: number, size: number) => {
        this.heap.copyWithin(to, from, from + size);
      },
      emscripten_resize_heap: (size: number) => this.grow(size >>> 0),
    };
    return imports;
  }

  /** Calls into the module so that a longjmp of Lua's ends here; nothing else is caught. */
  private invoke(slot: number, a: number, b: number): void {
    const { c } = this;
    const stack = c.stackSave();
    try {
      (c.__indirect_function_table.get(slot) as (a: number, b: number) => void)(a, b);
    } catch (error) {
      c.stackRestore(stack);
      if (error !== LONGJMP) throw error;
      c.setThrew(1, 0);
    }
  }

  private grow(size: number): number {
    const { memory } = this.c;
    const held = memory.buffer.byteLength;
    // A script that could catch this would do what it did on no server.
    if (size > this.limits.memoryBytes) throw limit('memory', this.limits.memoryBytes);
    const wanted = Math.min(this.limits.memoryBytes, Math.max(size, held * 2));
    memory.grow(Math.ceil((wanted - held) / PAGE));
    return 1;
  }
}

/** What stands for C's longjmp while it passes through JavaScript. */
const LONGJMP = Symbol('longjmp');

function limit(what: string, allowed: number): ScriptStopped {
  return new ScriptStopped({ code: 'aof/script-limit', detail: { what, allowed } });
}

/** A module that imports a function of a type and exports it, which is how a table comes to hold it. */
function callable(type: readonly number[]): WebAssembly.Module {
  const section = [1, type.length + 1, 1, ...type];
  const imported = [2, 7, 1, 1, 0x65, 1, 0x66, 0, 0];
  const exported = [7, 5, 1, 1, 0x66, 0, 0];
  return new WebAssembly.Module(
    Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section, ...imported, ...exported]),
  );
}
