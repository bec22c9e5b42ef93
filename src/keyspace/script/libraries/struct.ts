import type { Thread } from '../lua-exports.js';
import type { LuaState } from '../lua-state.js';

const INTEGER_MAX = 32;
const ALIGN_MAX = 8;
const BITS = (1n << 64n) - 1n;

/** Bytes of the options that have a size of their own; `l` and `T` as on a 64-bit server. */
const SIZES: Readonly<Record<string, number>> = {
  b: 1,
  B: 1,
  h: 2,
  H: 2,
  l: 8,
  L: 8,
  T: 8,
  f: 4,
  d: 8,
  x: 1,
};
const INTEGERS = 'bBhHlLTiI';

/** Reads a format option by option, and knows byte order and alignment at each. */
class Format {
  option = '';
  size = 0;
  little = true;
  private at = 0;
  private align = 1;

  constructor(
    private readonly lua: LuaState,
    private readonly thread: Thread,
    private readonly text: string,
  ) {}

  next(): boolean {
    // To C the text ends at its first zero.
    if (this.at >= this.text.length || this.text[this.at] === '\0') return false;
    this.option = this.text[this.at++]!;
    this.size = this.sizeOf(this.option);
    return true;
  }

  /** Bytes to leave out before an item of the present size at a position. */
  padding(position: number): number {
    if (this.size === 0 || this.option === 'c') return 0;
    const size = Math.min(this.size, this.align);
    return (size - (position & (size - 1))) & (size - 1);
  }

  /** Takes an option that stands for no item. */
  control(): void {
    const { option, lua, thread } = this;
    if (option === ' ') return;
    if (option === '>' || option === '<') this.little = option === '<';
    else if (option === '!') {
      this.align = this.number(ALIGN_MAX);
      if (this.align > 0 && (this.align & (this.align - 1)) === 0) return;
      lua.raise(thread, `alignment ${this.align} is not a power of 2`, true);
    } else lua.argumentError(thread, 1, `invalid format option '${option}'`);
  }

  private sizeOf(option: string): number {
    if (option === 'c') return this.number(1);
    if (option !== 'i' && option !== 'I') return SIZES[option] ?? 0;
    const size = this.number(4);
    if (size > INTEGER_MAX) {
      this.lua.raise(this.thread, `integral size ${size} is larger than limit of ${INTEGER_MAX}`, true);
    }
    return size;
  }

  private number(otherwise: number): number {
    const digits = /^\d+/.exec(this.text.slice(this.at, this.at + 20))?.[0];
    if (digits === undefined) return otherwise;
    this.at += digits.length;
    return Number(digits) | 0;
  }
}

/** Opens `struct`: values as bytes by a format, and back. */
export function openStruct(lua: LuaState): void {
  lua.pushLibrary(lua.main, {
    pack: (thread) => pack(lua, thread),
    unpack: (thread) => unpack(lua, thread),
    size: (thread) => sizeOf(lua, thread),
  });
  lua.setGlobal(lua.main, 'struct');
}

function pack(lua: LuaState, thread: Thread): number {
  const format = new Format(lua, thread, lua.textArgument(thread, 1));
  const parts: string[] = [];
  let total = 0;
  let argument = 2;
  while (format.next()) {
    const { option, size } = format;
    let item = '';
    const padding = format.padding(total);
    if (INTEGERS.includes(option))
      item = integerBytes(lua.numberArgument(thread, argument++), size, format.little);
    else if (option === 'x') item = '\0';
    else if (option === 'f' || option === 'd') {
      item = floatBytes(lua.numberArgument(thread, argument++), size, format.little);
    } else if (option === 'c' || option === 's') {
      const text = lua.textArgument(thread, argument++);
      const wanted = size === 0 ? text.length : size;
      if (text.length < wanted) lua.argumentError(thread, argument, 'string too short');
      item = text.slice(0, wanted) + (option === 's' ? '\0' : '');
    } else format.control();
    parts.push('\0'.repeat(padding), item);
    total += padding + item.length;
    lua.spend(1);
  }
  lua.pushText(thread, parts.join(''));
  return 1;
}

function unpack(lua: LuaState, thread: Thread): number {
  const { c } = lua;
  const format = new Format(lua, thread, lua.textArgument(thread, 1));
  const data = lua.textArgument(thread, 2);
  let at = (c.lua_gettop(thread) < 3 ? 1 : Math.trunc(lua.numberArgument(thread, 3))) - 1;
  if (at < 0) lua.argumentError(thread, 3, 'offset must be 1 or greater');
  let results = 0;
  while (format.next()) {
    const { option } = format;
    let { size } = format;
    at += format.padding(at);
    if (at > data.length - size) lua.argumentError(thread, 2, 'data string too short');
    lua.reserve(thread, 2);
    lua.spend(1);
    if (INTEGERS.includes(option)) {
      c.lua_pushnumber(thread, integerOf(data.slice(at, at + size), option >= 'a', format.little));
      results++;
    } else if (option === 'f' || option === 'd') {
      c.lua_pushnumber(thread, floatOf(data.slice(at, at + size), format.little));
      results++;
    } else if (option === 'c') {
      if (size === 0) {
        if (results === 0 || c.lua_isnumber(thread, -1) === 0) {
          lua.raise(thread, "format 'c0' needs a previous size", true);
        }
        size = Math.trunc(c.lua_tonumber(thread, -1));
        lua.pop(thread);
        results--;
        if (!(size >= 0 && at <= data.length - size)) lua.argumentError(thread, 2, 'data string too short');
      }
      lua.pushText(thread, data.slice(at, at + size));
      results++;
    } else if (option === 's') {
      const end = data.indexOf('\0', at);
      if (end < 0) lua.raise(thread, 'unfinished string in data', true);
      lua.pushText(thread, data.slice(at, end));
      results++;
      size = end - at + 1;
    } else if (option !== 'x') format.control();
    at += size;
  }
  c.lua_pushnumber(thread, at + 1);
  return results + 1;
}

function sizeOf(lua: LuaState, thread: Thread): number {
  const format = new Format(lua, thread, lua.textArgument(thread, 1));
  let total = 0;
  while (format.next()) {
    const { option, size } = format;
    total += format.padding(total) + size;
    if (option === 's') lua.argumentError(thread, 1, "option 's' has no fixed size");
    if (option === 'c' && size === 0) lua.argumentError(thread, 1, "option 'c0' has no fixed size");
    if (!/[0-9A-Za-z]/.test(option)) format.control();
  }
  lua.c.lua_pushnumber(thread, total);
  return 1;
}

function ordered(bytes: Buffer, little: boolean): Buffer {
  return little ? bytes : bytes.reverse();
}

/** A number cut to 64 bits as C casts it, from the lowest byte on; those beyond are zero. */
function integerBytes(value: number, size: number, little: boolean): string {
  let bits = Number.isFinite(value) ? BigInt.asUintN(64, BigInt(Math.trunc(value))) : 1n << 63n;
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) {
    bytes[i] = Number(bits & 0xffn);
    bits >>= 8n;
  }
  return ordered(bytes, little).latin1Slice();
}

function integerOf(text: string, signed: boolean, little: boolean): number {
  const bytes = ordered(Buffer.from(text, 'latin1'), little);
  let bits = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) bits = ((bits << 8n) | BigInt(bytes[i]!)) & BITS;
  return Number(signed ? BigInt.asIntN(Math.min(64, text.length * 8), bits) : bits);
}

function floatBytes(value: number, size: number, little: boolean): string {
  const bytes = Buffer.alloc(size);
  if (size === 4) bytes.writeFloatLE(value);
  else bytes.writeDoubleLE(value);
  return ordered(bytes, little).latin1Slice();
}

function floatOf(text: string, little: boolean): number {
  const bytes = ordered(Buffer.from(text, 'latin1'), little);
  return bytes.length === 4 ? bytes.readFloatLE() : bytes.readDoubleLE();
}
