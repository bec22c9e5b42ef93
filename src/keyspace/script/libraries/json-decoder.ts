import type { Thread } from '../lua-exports.js';
import type { LuaState } from '../lua-state.js';
import type { JsonSettings } from './json.js';

type Token =
  | 'T_OBJ_BEGIN'
  | 'T_OBJ_END'
  | 'T_ARR_BEGIN'
  | 'T_ARR_END'
  | 'T_COLON'
  | 'T_COMMA'
  | 'T_END'
  | 'T_STRING'
  | 'T_NUMBER'
  | 'T_BOOLEAN'
  | 'T_NULL'
  | 'T_ERROR';

const MARKS: Readonly<Record<string, Token>> = {
  '{': 'T_OBJ_BEGIN',
  '}': 'T_OBJ_END',
  '[': 'T_ARR_BEGIN',
  ']': 'T_ARR_END',
  ':': 'T_COLON',
  ',': 'T_COMMA',
};
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
};

/** What C's strtod takes. */
const NUMBER_TEXT =
  /[-+]?(?:0x(?:[\da-f]+\.?[\da-f]*|\.[\da-f]+)(?:p[-+]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf(?:inity)?|nan)/iy;
/** What strtod takes and JSON does not have. */
const INVALID = /\+|-?(?:0[x\d]|inf|nan)/iy;
const PLAIN = /[^"\\\0]+/y;
const HEX4 = /[\da-f]{4}/iy;

/** Pushes the value of a JSON text. Returns 1. */
export function decodeJson(lua: LuaState, thread: Thread, text: string, settings: JsonSettings): number {
  if (text.length >= 2 && (text[0] === '\0' || text[1] === '\0')) {
    return lua.raise(thread, 'JSON parser does not support UTF-16 or UTF-32', true);
  }
  new Decoder(lua, thread, text, settings).document();
  return 1;
}

class Decoder {
  private at = 0;
  private token: Token = 'T_END';
  private tokenAt = 0;
  /** Of a string its characters, of an error what it is. */
  private text = '';
  private number = 0;

  constructor(
    private readonly lua: LuaState,
    private readonly thread: Thread,
    private readonly json: string,
    private readonly settings: JsonSettings,
  ) {}

  document(): void {
    this.next();
    this.value(0);
    if (this.next() !== 'T_END') this.unexpected('the end');
  }

  private value(depth: number): void {
    const { lua, thread } = this;
    lua.spend(1);
    if (this.token === 'T_STRING') lua.pushText(thread, this.text);
    else if (this.token === 'T_NUMBER') lua.c.lua_pushnumber(thread, this.number);
    else if (this.token === 'T_BOOLEAN') lua.c.lua_pushboolean(thread, this.number);
    else if (this.token === 'T_NULL') lua.c.lua_pushlightuserdata(thread, 0);
    else if (this.token === 'T_OBJ_BEGIN') this.object(depth + 1);
    else if (this.token === 'T_ARR_BEGIN') this.array(depth + 1);
    else this.unexpected('value');
  }

  private object(depth: number): void {
    const { lua, thread } = this;
    this.open(depth);
    if (this.next() === 'T_OBJ_END') return;
    for (;;) {
      if (this.token !== 'T_STRING') this.unexpected('object key string');
      lua.pushText(thread, this.text);
      if (this.next() !== 'T_COLON') this.unexpected('colon');
      this.next();
      this.value(depth);
      lua.c.lua_rawset(thread, -3);
      const after = this.next();
      if (after === 'T_OBJ_END') return;
      if (after !== 'T_COMMA') this.unexpected('comma or object end');
      this.next();
    }
  }

  private array(depth: number): void {
    this.open(depth);
    if (this.next() === 'T_ARR_END') return;
    for (let i = 1; ; i++) {
      this.value(depth);
      this.lua.c.lua_rawseti(this.thread, -2, i);
      const after = this.next();
      if (after === 'T_ARR_END') return;
      if (after !== 'T_COMMA') this.unexpected('comma or array end');
      this.next();
    }
  }

  private open(depth: number): void {
    const { lua, thread } = this;
    if (depth > this.settings.decodeDepth || lua.c.lua_checkstack(thread, 4) === 0) {
      lua.raise(thread, `Found too many nested data structures (${depth}) at character ${this.at}`, true);
    }
    lua.c.lua_createtable(thread, 0, 0);
  }

  private next(): Token {
    const { json } = this;
    while (this.at < json.length && ' \t\n\r'.includes(json[this.at]!)) this.at++;
    this.tokenAt = this.at;
    const c = json[this.at] ?? '\0';
    const mark = MARKS[c];
    if (c === '\0') this.token = 'T_END';
    else if (mark !== undefined) {
      this.token = mark;
      this.at++;
    } else if (c === '"') this.readString();
    else if (c === '-' || (c >= '0' && c <= '9')) this.readNumber(!this.settings.decodeInvalid);
    else if (
      !this.word('true', 'T_BOOLEAN', 1) &&
      !this.word('false', 'T_BOOLEAN', 0) &&
      !this.word('null', 'T_NULL', 0)
    ) {
      if (this.settings.decodeInvalid && /[+iInN]/.test(c) && this.isInvalidNumber()) this.readNumber(false);
      else this.fail('invalid token');
    }
    return this.token;
  }

  private word(word: string, token: Token, value: number): boolean {
    if (!this.json.startsWith(word, this.at)) return false;
    this.token = token;
    this.number = value;
    this.at += word.length;
    return true;
  }

  private isInvalidNumber(): boolean {
    INVALID.lastIndex = this.at;
    return INVALID.test(this.json);
  }

  private readNumber(strict: boolean): void {
    NUMBER_TEXT.lastIndex = this.at;
    const found = strict && this.isInvalidNumber() ? null : NUMBER_TEXT.exec(this.json);
    if (found === null) {
      this.fail('invalid number');
      return;
    }
    this.token = 'T_NUMBER';
    this.number = numberOf(found[0]);
    this.at += found[0].length;
  }

  private readString(): void {
    const { json } = this;
    this.at++;
    this.text = '';
    for (;;) {
      PLAIN.lastIndex = this.at;
      const plain = PLAIN.exec(json);
      if (plain !== null) {
        this.text += plain[0];
        this.at += plain[0].length;
      }
      const c = json[this.at] ?? '\0';
      if (c === '"') break;
      if (c === '\0') {
        this.fail('unexpected end of string');
        return;
      }
      const escaped = json[this.at + 1] ?? '\0';
      const character = escaped === 'u' ? this.unicode() : ESCAPES[escaped];
      if (character === undefined) {
        this.fail(escaped === 'u' ? 'invalid unicode escape code' : 'invalid escape code');
        return;
      }
      this.text += character;
      if (escaped !== 'u') this.at += 2;
    }
    this.at++;
    this.token = 'T_STRING';
  }

  /** Reads an escape, or two that are one character. Returns its bytes; undefined when it is none. */
  private unicode(): string | undefined {
    const high = this.hexAt(this.at + 2);
    if (Number.isNaN(high)) return undefined;
    let point = high;
    let length = 6;
    if ((high & 0xf800) === 0xd800) {
      const low = this.json.startsWith('\\u', this.at + 6) ? this.hexAt(this.at + 8) : Number.NaN;
      if ((high & 0x400) !== 0 || (low & 0xfc00) !== 0xdc00) return undefined;
      point = (((high & 0x3ff) << 10) | (low & 0x3ff)) + 0x10000;
      length = 12;
    }
    this.at += length;
    return Buffer.from(String.fromCodePoint(point), 'utf8').latin1Slice();
  }

  private hexAt(at: number): number {
    HEX4.lastIndex = at;
    const found = HEX4.exec(this.json);
    return found === null ? Number.NaN : Number.parseInt(found[0], 16);
  }

  private fail(what: string): void {
    this.token = 'T_ERROR';
    this.tokenAt = this.at;
    this.text = what;
  }

  private unexpected(expected: string): never {
    const found = this.token === 'T_ERROR' ? this.text : this.token;
    return this.lua.raise(
      this.thread,
      `Expected ${expected} but found ${found} at character ${this.tokenAt + 1}`,
      true,
    );
  }
}

function numberOf(text: string): number {
  const [, sign = '', size = ''] = /^([-+]?)(.*)$/s.exec(text)!;
  const negative = sign === '-';
  let value: number;
  if (/^inf/i.test(size)) value = Number.POSITIVE_INFINITY;
  else if (/^nan/i.test(size)) value = Number.NaN;
  else if (/^0x/i.test(size)) value = hexNumber(size.slice(2));
  else value = Number(size);
  return negative ? -value : value;
}

/** A hexadecimal number with an optional fraction and power of two. */
function hexNumber(text: string): number {
  const [digits = '', power = '0'] = text.toLowerCase().split('p');
  const [whole = '', fraction = ''] = digits.split('.');
  return Number.parseInt(`${whole}${fraction}`, 16) * 2 ** (Number(power) - 4 * fraction.length);
}
