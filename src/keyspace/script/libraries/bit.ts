import type { Thread } from '../lua-exports.js';
import type { LuaFunction, LuaState } from '../lua-state.js';

/** Added to a number it puts its lowest 32 bits, rounded to even, into those of the sum. */
const SHIFT = 2 ** 52 + 2 ** 51;
const HEX_MAX = 8;

const sum = new Float64Array(1);
const words = new Int32Array(sum.buffer);

function bitsOf(value: number): number {
  sum[0] = value + SHIFT;
  return words[0]!;
}

/** Opens `bit`: operations on 32-bit integers. */
export function openBit(lua: LuaState): void {
  const { c } = lua;
  const argument = (thread: Thread, i: number): number => {
    const bits = bitsOf(c.lua_tonumber(thread, i));
    return bits === 0 ? bitsOf(lua.numberArgument(thread, i)) : bits;
  };
  const unary =
    (operation: (a: number) => number): LuaFunction =>
    (thread) => {
      c.lua_pushnumber(thread, operation(argument(thread, 1)) | 0);
      return 1;
    };
  const shift =
    (operation: (a: number, by: number) => number): LuaFunction =>
    (thread) => {
      const a = argument(thread, 1);
      c.lua_pushnumber(thread, operation(a, argument(thread, 2) & 31) | 0);
      return 1;
    };
  const fold =
    (operation: (a: number, b: number) => number): LuaFunction =>
    (thread) => {
      let bits = argument(thread, 1);
      for (let i = c.lua_gettop(thread); i > 1; i--) bits = operation(bits, argument(thread, i));
      c.lua_pushnumber(thread, bits | 0);
      return 1;
    };
  lua.pushLibrary(lua.main, {
    tobit: unary((a) => a),
    bnot: unary((a) => ~a),
    bswap: unary((a) => (a >>> 24) | ((a >>> 8) & 0xff00) | ((a & 0xff00) << 8) | (a << 24)),
    band: fold((a, b) => a & b),
    bor: fold((a, b) => a | b),
    bxor: fold((a, b) => a ^ b),
    lshift: shift((a, by) => a << by),
    rshift: shift((a, by) => a >>> by),
    arshift: shift((a, by) => a >> by),
    rol: shift((a, by) => (a << by) | (a >>> (32 - by))),
    ror: shift((a, by) => (a << (32 - by)) | (a >>> by)),
    tohex: (thread) => {
      const bits = argument(thread, 1);
      const digits = c.lua_gettop(thread) < 2 ? HEX_MAX : argument(thread, 2);
      const count = Math.min(HEX_MAX, Math.abs(digits));
      const text = (bits >>> 0)
        .toString(16)
        .padStart(HEX_MAX, '0')
        .slice(HEX_MAX - count);
      lua.pushText(thread, digits < 0 ? text.toUpperCase() : text);
      return 1;
    },
  });
  lua.setGlobal(lua.main, 'bit');
}
