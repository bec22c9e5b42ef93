import { BOOLEAN, LIGHT, NIL, NUMBER, STRING, TABLE, type Thread } from '../lua-exports.js';
import type { LuaState } from '../lua-state.js';
import { decodeJson } from './json-decoder.js';

const OPTION_MAX = 2 ** 31 - 1;
const PRECISION_MAX = 14;

/** Settings of `cjson` that scripts may change. */
export interface JsonSettings {
  sparseConvert: boolean;
  sparseRatio: number;
  sparseSafe: number;
  encodeDepth: number;
  decodeDepth: number;
  precision: number;
  keepBuffer: boolean;
  /** Infinity and NaN: an error, as C prints them, or null. */
  encodeInvalid: 'off' | 'on' | 'null';
  decodeInvalid: boolean;
}

/** Opens `cjson`. */
export function openJson(lua: LuaState): void {
  pushJson(lua, lua.main);
  lua.setGlobal(lua.main, 'cjson');
}

function pushJson(lua: LuaState, to: Thread): void {
  const { c } = lua;
  const settings: JsonSettings = {
    sparseConvert: false,
    sparseRatio: 2,
    sparseSafe: 10,
    encodeDepth: 1000,
    decodeDepth: 1000,
    precision: PRECISION_MAX,
    keepBuffer: true,
    encodeInvalid: 'off',
    decodeInvalid: true,
  };
  const option = new Options(lua, settings);
  lua.pushLibrary(to, {
    encode: (thread) => encode(lua, thread, settings),
    decode: (thread) => {
      if (c.lua_gettop(thread) !== 1) return lua.argumentError(thread, 1, 'expected 1 argument');
      return decodeJson(lua, thread, lua.textArgument(thread, 1), settings);
    },
    encode_sparse_array: (thread) => {
      option.flag(thread, 1, 'sparseConvert');
      option.integer(thread, 2, 'sparseRatio', 0, OPTION_MAX);
      option.integer(thread, 3, 'sparseSafe', 0, OPTION_MAX);
      return 3;
    },
    encode_max_depth: (thread) => option.integer(thread, 1, 'encodeDepth', 1, OPTION_MAX),
    decode_max_depth: (thread) => option.integer(thread, 1, 'decodeDepth', 1, OPTION_MAX),
    encode_number_precision: (thread) => option.integer(thread, 1, 'precision', 1, PRECISION_MAX),
    encode_keep_buffer: (thread) => option.flag(thread, 1, 'keepBuffer'),
    encode_invalid_numbers: (thread) => option.invalid(thread),
    decode_invalid_numbers: (thread) => option.flag(thread, 1, 'decodeInvalid'),
    new: (thread) => {
      pushJson(lua, thread);
      return 1;
    },
  });
  c.lua_pushlightuserdata(to, 0);
  lua.setField(to, -2, 'null');
  for (const [name, text] of Object.entries({ _NAME: 'cjson', _VERSION: '2.1.0' })) {
    lua.pushText(to, text);
    lua.setField(to, -2, name);
  }
}

type Named<T> = { [K in keyof JsonSettings]: JsonSettings[K] extends T ? K : never }[keyof JsonSettings];

/** Sets what an argument says, if there is one, and pushes what then holds. */
class Options {
  constructor(
    private readonly lua: LuaState,
    private readonly settings: JsonSettings,
  ) {}

  integer(thread: Thread, i: number, name: Named<number>, low: number, high: number): number {
    const { lua, settings } = this;
    if (lua.c.lua_type(thread, i) > NIL) {
      const value = Math.trunc(lua.numberArgument(thread, i));
      if (value < low || value > high) {
        return lua.argumentError(thread, 1, `expected integer between ${low} and ${high}`);
      }
      settings[name] = value;
    }
    lua.c.lua_pushnumber(thread, settings[name]);
    return 1;
  }

  flag(thread: Thread, i: number, name: Named<boolean>): number {
    const { lua, settings } = this;
    const chosen = this.choice(thread, i, ['off', 'on']);
    if (chosen !== null) settings[name] = chosen === 'on';
    lua.c.lua_pushboolean(thread, settings[name] ? 1 : 0);
    return 1;
  }

  invalid(thread: Thread): number {
    const { lua, settings } = this;
    settings.encodeInvalid = this.choice(thread, 1, ['off', 'on', 'null']) ?? settings.encodeInvalid;
    if (settings.encodeInvalid === 'null') lua.pushText(thread, 'null');
    else lua.c.lua_pushboolean(thread, settings.encodeInvalid === 'on' ? 1 : 0);
    return 1;
  }

  private choice<T extends string>(thread: Thread, i: number, names: readonly T[]): T | null {
    const { lua } = this;
    const type = lua.c.lua_type(thread, i);
    if (type <= NIL) return null;
    if (type === BOOLEAN) return names[lua.c.lua_toboolean(thread, i)]!;
    const text = lua.textArgument(thread, i);
    return names.find((name) => name === text) ?? lua.argumentError(thread, i, `invalid option '${text}'`);
  }
}

function encode(lua: LuaState, thread: Thread, settings: JsonSettings): number {
  if (lua.c.lua_gettop(thread) !== 1) return lua.argumentError(thread, 1, 'expected 1 argument');
  const encoder = new Encoder(lua, thread, settings);
  encoder.value(0);
  lua.pushText(thread, encoder.text);
  return 1;
}

/** What JSON texts may not hold as it is, and the slash. */
const ESCAPED = /["\\/\x00-\x1f\x7f]/g;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};

function quoted(text: string): string {
  const escaped = (c: string): string => SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `"${text.replace(ESCAPED, escaped)}"`;
}

/** Writes what is on top of a stack, which stays there. */
class Encoder {
  text = '';

  constructor(
    private readonly lua: LuaState,
    private readonly thread: Thread,
    private readonly settings: JsonSettings,
  ) {}

  value(depth: number): void {
    const { lua, thread } = this;
    const { c } = lua;
    lua.spend(1);
    const type = c.lua_type(thread, -1);
    if (type === STRING) this.text += quoted(lua.textAt(thread, -1)!);
    else if (type === NUMBER) this.text += this.number(-1);
    else if (type === BOOLEAN) this.text += c.lua_toboolean(thread, -1) === 1 ? 'true' : 'false';
    else if (type === TABLE) this.table(depth + 1);
    else if (type === NIL || (type === LIGHT && c.lua_touserdata(thread, -1) === 0)) this.text += 'null';
    else this.refuse(-1, 'type not supported');
  }

  private table(depth: number): void {
    const { lua, thread, settings } = this;
    if (depth > settings.encodeDepth || lua.c.lua_checkstack(thread, 4) === 0) {
      lua.raise(thread, `Cannot serialise, excessive nesting (${depth})`, true);
    }
    const length = this.arrayLength();
    if (length > 0) this.array(length, depth);
    else this.object(depth);
  }

  /** The highest key of a table whose keys are all positive whole numbers; -1 for others, and for one too sparse. */
  private arrayLength(): number {
    const { lua, thread, settings } = this;
    const { c } = lua;
    let highest = 0;
    let items = 0;
    c.lua_pushnil(thread);
    while (c.lua_next(thread, -2) !== 0) {
      lua.pop(thread);
      const key = c.lua_type(thread, -1) === NUMBER ? c.lua_tonumber(thread, -1) : 0;
      if (!(key >= 1 && Math.floor(key) === key)) {
        lua.pop(thread);
        return -1;
      }
      highest = Math.max(highest, key);
      items++;
    }
    const { sparseRatio, sparseSafe } = settings;
    if (sparseRatio > 0 && highest > items * sparseRatio && highest > sparseSafe) {
      if (!settings.sparseConvert) this.refuse(-1, 'excessively sparse array');
      return -1;
    }
    return highest;
  }

  private array(length: number, depth: number): void {
    const { lua, thread } = this;
    this.text += '[';
    for (let i = 1; i <= length; i++) {
      if (i > 1) this.text += ',';
      lua.c.lua_rawgeti(thread, -1, i);
      this.value(depth);
      lua.pop(thread);
    }
    this.text += ']';
  }

  private object(depth: number): void {
    const { lua, thread } = this;
    const { c } = lua;
    let separator = '{';
    c.lua_pushnil(thread);
    while (c.lua_next(thread, -2) !== 0) {
      const type = c.lua_type(thread, -2);
      if (type === NUMBER) this.text += `${separator}"${this.number(-2)}":`;
      else if (type === STRING) this.text += `${separator}${quoted(lua.textAt(thread, -2)!)}:`;
      else this.refuse(-2, 'table key must be a number or string');
      separator = ',';
      this.value(depth);
      lua.pop(thread);
    }
    this.text += separator === '{' ? '{}' : '}';
  }

  private number(index: number): string {
    const { lua, thread, settings } = this;
    const value = lua.c.lua_tonumber(thread, index);
    if (!Number.isFinite(value)) {
      if (settings.encodeInvalid === 'off') this.refuse(index, 'must not be NaN or Inf');
      if (settings.encodeInvalid === 'null') return 'null';
      return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf';
    }
    return this.printed(value);
  }

  /** As C prints it with %g in so many digits: Lua itself does with fourteen. */
  private printed(value: number): string {
    const { lua, thread, settings } = this;
    if (settings.precision !== PRECISION_MAX) return general(value, settings.precision);
    lua.c.lua_pushnumber(thread, value);
    const text = lua.textAt(thread, -1)!;
    lua.pop(thread);
    return text;
  }

  private refuse(index: number, reason: string): never {
    const { lua, thread } = this;
    return lua.raise(thread, `Cannot serialise ${lua.typeNameAt(thread, index)}: ${reason}`, true);
  }
}

/** C's %g of a finite number. */
function general(value: number, digits: number): string {
  const [mantissa, power] = value.toExponential(digits - 1).split('e') as [string, string];
  const exponent = Number(power);
  const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent >= -4 && exponent < digits) return trim(value.toFixed(Math.max(0, digits - 1 - exponent)));
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${trim(mantissa)}e${exponent < 0 ? '-' : '+'}${size}`;
}
