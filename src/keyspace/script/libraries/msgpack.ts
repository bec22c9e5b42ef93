import { BOOLEAN, NUMBER, STRING, TABLE, type Thread } from '../lua-exports.js';
import type { LuaState } from '../lua-state.js';

/** Tables deeper than this are packed as nil. */
const DEPTH_MAX = 16;
const UNPACK_DEPTH_MAX = 1000;
const INT32_MAX = 2 ** 31 - 1;
const INT64_MAX = 2 ** 63;

/** Opens `cmsgpack`: values as MessagePack, and back. */
export function openMsgpack(lua: LuaState): void {
  lua.pushLibrary(lua.main, {
    pack: (thread) => pack(lua, thread),
    unpack: (thread) => unpack(lua, thread, 0, 0),
    unpack_one: (thread) => unpack(lua, thread, 1, integer(lua, thread, 2, 0)),
    unpack_limit: (thread) => unpack(lua, thread, integer(lua, thread, 2), integer(lua, thread, 3, 0)),
  });
  lua.pushText(lua.main, 'cmsgpack');
  lua.setField(lua.main, -2, '_NAME');
  lua.pushText(lua.main, 'lua-cmsgpack 0.4.0');
  lua.setField(lua.main, -2, '_VERSION');
  lua.setGlobal(lua.main, 'cmsgpack');
}

function integer(lua: LuaState, thread: Thread, i: number, otherwise?: number): number {
  if (otherwise !== undefined && lua.c.lua_type(thread, i) <= 0) return otherwise;
  return Math.trunc(lua.numberArgument(thread, i));
}

function pack(lua: LuaState, thread: Thread): number {
  const { c } = lua;
  const argc = c.lua_gettop(thread);
  if (argc === 0) return lua.argumentError(thread, 0, 'MessagePack pack needs input.');
  const packer = new Packer(lua, thread);
  for (let i = 1; i <= argc; i++) {
    lua.reserve(thread, 1);
    c.lua_pushvalue(thread, i);
    packer.value(0);
  }
  lua.pushText(thread, packer.text);
  return 1;
}

/** Packs what is on top of a stack, and takes it off. */
class Packer {
  text = '';

  constructor(
    private readonly lua: LuaState,
    private readonly thread: Thread,
  ) {}

  value(depth: number): void {
    const { lua, thread } = this;
    const { c } = lua;
    lua.spend(1);
    const type = c.lua_type(thread, -1);
    if (type === STRING) this.string(lua.textAt(thread, -1)!);
    else if (type === BOOLEAN) this.text += c.lua_toboolean(thread, -1) === 1 ? '\xc3' : '\xc2';
    else if (type === NUMBER) this.number(c.lua_tonumber(thread, -1));
    else if (type === TABLE && depth < DEPTH_MAX) this.table(depth);
    else this.text += '\xc0';
    lua.pop(thread);
  }

  private string(text: string): void {
    const { length } = text;
    if (length < 32) this.text += String.fromCharCode(0xa0 | length);
    else if (length <= 0xff) this.text += `\xd9${bytesOf(length, 1)}`;
    else if (length <= 0xffff) this.text += `\xda${bytesOf(length, 2)}`;
    else this.text += `\xdb${bytesOf(length, 4)}`;
    this.text += text;
  }

  private number(value: number): void {
    const whole = Number.isInteger(value) && value >= -INT64_MAX && value < INT64_MAX;
    if (whole) {
      this.integer(value);
      return;
    }
    const bytes = Buffer.alloc(8);
    if (Object.is(Math.fround(value), value) && !Number.isNaN(value)) {
      bytes.writeFloatBE(value);
      this.text += `\xca${bytes.latin1Slice(0, 4)}`;
    } else {
      bytes.writeDoubleBE(value);
      this.text += `\xcb${bytes.latin1Slice(0, 8)}`;
    }
  }

  private integer(value: number): void {
    if (value >= 0) {
      if (value <= 127) this.text += String.fromCharCode(value);
      else if (value <= 0xff) this.text += `\xcc${bytesOf(value, 1)}`;
      else if (value <= 0xffff) this.text += `\xcd${bytesOf(value, 2)}`;
      else if (value <= 0xffffffff) this.text += `\xce${bytesOf(value, 4)}`;
      else this.text += `\xcf${bytesOf(value, 8)}`;
    } else if (value >= -32) this.text += bytesOf(value, 1);
    else if (value >= -128) this.text += `\xd0${bytesOf(value, 1)}`;
    else if (value >= -32768) this.text += `\xd1${bytesOf(value, 2)}`;
    else if (value >= -2147483648) this.text += `\xd2${bytesOf(value, 4)}`;
    else this.text += `\xd3${bytesOf(value, 8)}`;
  }

  private table(depth: number): void {
    const { lua, thread } = this;
    const { c } = lua;
    lua.reserve(thread, 5);
    const count = this.count();
    if (count.isArray) {
      this.head(count.keys, 0x90, '\xdc', '\xdd');
      for (let i = 1; i <= count.keys; i++) {
        c.lua_pushnumber(thread, i);
        c.lua_gettable(thread, -2);
        this.value(depth + 1);
      }
      return;
    }
    this.head(count.keys, 0x80, '\xde', '\xdf');
    c.lua_pushnil(thread);
    while (c.lua_next(thread, -2) !== 0) {
      c.lua_pushvalue(thread, -2);
      this.value(depth + 1);
      this.value(depth + 1);
    }
  }

  /** The keys of the table on top, and whether they are 1, 2, 3 and so on without a gap: no keys at all are. */
  private count(): { readonly keys: number; readonly isArray: boolean } {
    const { lua, thread } = this;
    const { c } = lua;
    let keys = 0;
    let highest = 0;
    let isArray = true;
    c.lua_pushnil(thread);
    while (c.lua_next(thread, -2) !== 0) {
      lua.pop(thread);
      keys++;
      const key = c.lua_type(thread, -1) === NUMBER ? c.lua_tonumber(thread, -1) : 0;
      if (Number.isInteger(key) && key > 0 && key <= INT32_MAX) highest = Math.max(highest, key);
      else isArray = false;
    }
    return { keys, isArray: isArray && highest === keys };
  }

  private head(count: number, fixed: number, wide: string, wider: string): void {
    if (count <= 15) this.text += String.fromCharCode(fixed | count);
    else if (count <= 0xffff) this.text += wide + bytesOf(count, 2);
    else this.text += wider + bytesOf(count, 4);
  }
}

/** The lowest bytes of an integer, highest first. */
function bytesOf(value: number, size: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)));
  return bytes.latin1Slice(8 - size);
}

function unpack(lua: LuaState, thread: Thread, limit: number, offset: number): number {
  const { c } = lua;
  const bytes = Buffer.from(lua.textArgument(thread, 1), 'latin1');
  if (offset < 0 || limit < 0) {
    const asked = `offset of ${offset} and limit of ${bytes.length}`;
    return lua.raise(thread, `Invalid request to unpack with ${asked}.`, true);
  }
  if (offset > bytes.length) {
    return lua.raise(thread, `Start offset ${offset} greater than input length ${bytes.length}.`, true);
  }
  c.lua_settop(thread, 1);
  const all = limit === 0 && offset === 0;
  const unpacker = new Unpacker(lua, thread, bytes, offset);
  // Where to go on comes first: -1 when nothing is left. It is known only at the end.
  const place = all ? 0 : 1;
  if (!all) c.lua_pushnumber(thread, 0);
  let count = 0;
  for (; unpacker.at < bytes.length && (all || count < limit); count++) unpacker.value(0);
  if (!all) {
    c.lua_pushnumber(thread, unpacker.at === bytes.length ? -1 : unpacker.at);
    c.lua_replace(thread, 2);
  }
  return count + place;
}

/** Unpacks values onto a stack. */
class Unpacker {
  constructor(
    private readonly lua: LuaState,
    private readonly thread: Thread,
    private readonly bytes: Buffer,
    public at: number,
  ) {}

  value(depth: number): void {
    const { lua, thread, bytes } = this;
    const { c } = lua;
    lua.reserve(thread, 4);
    lua.spend(1);
    const byte = bytes[this.need(1)]!;
    if (byte < 0x80) c.lua_pushnumber(thread, byte);
    else if (byte >= 0xe0) c.lua_pushnumber(thread, byte - 256);
    else if (byte < 0x90) this.map(byte & 15, depth);
    else if (byte < 0xa0) this.array(byte & 15, depth);
    else if (byte < 0xc0) this.string(byte & 31);
    else this.wide(byte, depth);
  }

  private wide(byte: number, depth: number): void {
    const { lua, thread, bytes } = this;
    const { c } = lua;
    const number = (value: number): void => c.lua_pushnumber(thread, value);
    if (byte === 0xc0) c.lua_pushnil(thread);
    else if (byte === 0xc2 || byte === 0xc3) c.lua_pushboolean(thread, byte & 1);
    else if (byte === 0xca) number(bytes.readFloatBE(this.need(4)));
    else if (byte === 0xcb) number(bytes.readDoubleBE(this.need(8)));
    else if (byte === 0xcc) number(bytes[this.need(1)]!);
    else if (byte === 0xcd) number(bytes.readUInt16BE(this.need(2)));
    else if (byte === 0xce) number(bytes.readUInt32BE(this.need(4)));
    else if (byte === 0xd0) number(bytes.readInt8(this.need(1)));
    else if (byte === 0xd1) number(bytes.readInt16BE(this.need(2)));
    else if (byte === 0xd2) number(bytes.readInt32BE(this.need(4)));
    // Servers take the unsigned for signed.
    else if (byte === 0xcf || byte === 0xd3) number(Number(bytes.readBigInt64BE(this.need(8))));
    else if (byte === 0xd9) this.string(bytes[this.need(1)]!);
    else if (byte === 0xda) this.string(bytes.readUInt16BE(this.need(2)));
    else if (byte === 0xdb) this.string(bytes.readUInt32BE(this.need(4)));
    else if (byte === 0xdc) this.array(bytes.readUInt16BE(this.need(2)), depth);
    else if (byte === 0xdd) this.array(bytes.readUInt32BE(this.need(4)), depth);
    else if (byte === 0xde) this.map(bytes.readUInt16BE(this.need(2)), depth);
    else if (byte === 0xdf) this.map(bytes.readUInt32BE(this.need(4)), depth);
    else lua.raise(thread, 'Bad data format in input.', true);
  }

  private string(length: number): void {
    const start = this.need(length);
    this.lua.pushText(this.thread, this.bytes.latin1Slice(start, start + length));
  }

  private array(count: number, depth: number): void {
    const { lua, thread } = this;
    this.descend(depth);
    lua.c.lua_createtable(thread, 0, 0);
    for (let i = 1; i <= count; i++) {
      this.value(depth + 1);
      lua.c.lua_rawseti(thread, -2, i);
    }
  }

  private map(count: number, depth: number): void {
    const { lua, thread } = this;
    this.descend(depth);
    lua.c.lua_createtable(thread, 0, 0);
    for (let i = 0; i < count; i++) {
      this.value(depth + 1);
      this.value(depth + 1);
      lua.c.lua_settable(thread, -3);
    }
  }

  private descend(depth: number): void {
    if (depth > UNPACK_DEPTH_MAX) this.lua.raise(this.thread, 'too deeply nested', true);
  }

  /** Moves past so many bytes. Returns where they begin. */
  private need(count: number): number {
    const { at } = this;
    if (count > this.bytes.length - at) this.lua.raise(this.thread, 'Missing bytes in input.', true);
    this.at = at + count;
    return at;
  }
}
