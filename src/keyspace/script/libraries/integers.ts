import { GLOBALS, NUMBER, type Thread } from '../lua-exports.js';
import type { LuaState } from '../lua-state.js';

const SPEC = /%(?:%|([-+ #0]*)(\d*)(?:\.(\d*))?([a-zA-Z]))/g;
const UNSIGNED = 64;
const INT64_MIN = -(2 ** 63);
const MOST = (1n << 64n) - 1n;

const INT32_MAX = 2 ** 31 - 1;

/**
 * Puts functions of ours before those of Lua's that would be wrong here: C's `long` has 64 bits where servers run, and 32
 * in this machine. They change the arguments on the stack and go on as the function itself.
 */
export function openIntegers(lua: LuaState): void {
  const { c, main } = lua;
  lua.getField(main, GLOBALS, 'string');
  lua.wrap(main, 'format', (thread, original) => {
    if (lua.isText(thread, 1)) widenFormat(lua, thread);
    return original(thread);
  });
  lua.wrap(main, 'sub', (thread, original) => {
    for (const i of [2, 3]) {
      const index = c.lua_type(thread, i) === NUMBER ? c.lua_tonumber(thread, i) : 0;
      if (index > INT32_MAX && index < -INT64_MIN) setNumber(lua, thread, i, INT32_MAX);
    }
    return original(thread);
  });
  lua.wrap(main, 'rep', (thread, original) => {
    // Nothing any number of times takes no memory, but time.
    if (lua.isText(thread, 1) && c.lua_objlen(thread, 1) === 0) setNumber(lua, thread, 2, 0);
    return original(thread);
  });
  lua.pop(main);
  c.lua_pushvalue(main, GLOBALS);
  lua.wrap(main, 'tonumber', (thread, original) => {
    if (!lua.isText(thread, 1)) return original(thread);
    const base = c.lua_type(thread, 2) === NUMBER ? Math.trunc(c.lua_tonumber(thread, 2)) : 10;
    if (base !== 10) return base >= 2 && base <= 36 ? parse(lua, thread, base) : original(thread);
    if (!/^\s*[-+]?0x\s*$/i.test(lua.textAt(thread, 1)!)) return original(thread);
    c.lua_pushnil(thread);
    return 1;
  });
  lua.pop(main);
}

function setNumber(lua: LuaState, thread: Thread, i: number, value: number): void {
  lua.c.lua_pushnumber(thread, value);
  lua.c.lua_replace(thread, i);
}

/** Prints the whole numbers that do not fit 32 bits, and puts `%s` in their place. */
function widenFormat(lua: LuaState, thread: Thread): void {
  const { c } = lua;
  const pattern = lua.textAt(thread, 1)!;
  let argument = 1;
  const widened = pattern.replace(
    SPEC,
    (spec, flags: string, width: string, digits: string, kind: string) => {
      if (spec === '%%') return spec;
      argument++;
      if (!'diuoxX'.includes(kind) || width.length > 2 || (digits ?? '').length > 2) return spec;
      if (c.lua_type(thread, argument) < NUMBER || c.lua_isnumber(thread, argument) === 0) return spec;
      const value = c.lua_tonumber(thread, argument);
      const fits =
        kind === 'd' || kind === 'i' ? Math.abs(value) <= INT32_MAX : value >= 0 && value <= INT32_MAX;
      if (fits) return spec;
      const text = printed(value, kind, flags, digits);
      const zeros = flags.includes('0') && !flags.includes('-') && digits === undefined;
      lua.pushText(thread, zeros ? zeroPadded(text, Number(width)) : text);
      c.lua_replace(thread, argument);
      return `%${flags.includes('-') ? '-' : ''}${width}s`;
    },
  );
  if (widened === pattern) return;
  lua.pushText(thread, widened);
  c.lua_replace(thread, 1);
}

function printed(value: number, kind: string, flags: string, digits: string | undefined): string {
  const whole = longOf(value);
  const signed = kind === 'd' || kind === 'i';
  const bits = BigInt.asUintN(UNSIGNED, whole);
  const size = signed ? (whole < 0n ? -whole : whole) : bits;
  const radix = kind === 'o' ? 8 : kind === 'x' || kind === 'X' ? 16 : 10;
  let text = size.toString(radix).padStart(Number(digits ?? 0), '0');
  if (flags.includes('#') && radix === 16) text = `0x${text}`;
  if (flags.includes('#') && radix === 8) text = `0${text}`;
  if (kind === 'X') text = text.toUpperCase();
  if (!signed) return text;
  return (whole < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + text;
}

function zeroPadded(text: string, width: number): string {
  const sign = /^(?:[-+ ]|0[xX])?/.exec(text)![0];
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

/** As C casts a double to 64 bits. */
function longOf(value: number): bigint {
  const whole = Number.isFinite(value) ? BigInt(Math.trunc(value)) : 1n << 63n;
  return whole >= -(1n << 63n) && whole < 1n << 63n ? whole : -(1n << 63n);
}

/** A text as a whole number of a base, as C's strtoul reads it; nil when it is none. */
function parse(lua: LuaState, thread: Thread, base: number): number {
  const { c } = lua;
  const match = /^[ \t\n\v\f\r]*([-+]?)([0-9a-z]+)[ \t\n\v\f\r]*$/i.exec(lua.textArgument(thread, 1));
  let digits = match?.[2]?.toLowerCase() ?? '';
  if (base === 16 && /^0x[0-9a-f]/.test(digits)) digits = digits.slice(2);
  let value = digits === '' ? -1n : 0n;
  for (const digit of digits) {
    const worth = Number.parseInt(digit, 36);
    if (worth >= base) {
      c.lua_pushnil(thread);
      return 1;
    }
    value = value * BigInt(base) + BigInt(worth);
    if (value > MOST) value = MOST;
    lua.spend(1);
  }
  if (value < 0n) c.lua_pushnil(thread);
  else
    c.lua_pushnumber(
      thread,
      Number(match![1] === '-' && value < MOST ? BigInt.asUintN(UNSIGNED, -value) : value),
    );
  return 1;
}
