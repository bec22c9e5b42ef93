import type { ErrorDetail } from '../../errors.js';
import { quotedBytes } from './escape.js';
import type { Conceal } from './findings.js';
import { count, counted, instant, offset, size } from './numbers.js';

/** No server lets one argument or value be longer. */
const VALUE_BYTES_MAX = 512 * 1024 * 1024;

/** The only type whose values nobody can walk past. */
const TYPE_MODULE_PRE_RELEASE = 6;

type Wording = (value: number, detail: ErrorDetail) => string | null;

/** How a number in a finding's detail is said; null: it is said elsewhere. Others follow their name. */
const NUMBERS: Readonly<Record<string, Wording>> = {
  end: (value) => `the file ends at offset ${offset(value)}`,
  missing: (value) =>
    value > VALUE_BYTES_MAX
      ? `${counted(value, 'byte')} are missing, which is more than a value can have: a length is damaged`
      : `at least ${counted(value, 'byte')} missing`,
  needed: (value) => `at least ${counted(value, 'byte')} needed`,
  available: (value) => `${counted(value, 'byte')} there`,
  bytes: (value) => counted(value, 'byte'),
  size: (value) => size(value),
  files: (value) => counted(value, 'file'),
  queued: (value) => `${counted(value, 'command')} in it`,
  max: (value) => `at most ${count(value)}`,
  found: hexByte,
  byte: hexByte,
  opcode: hexByte,
  version: (value) => `version ${value}`,
  arguments: (value) => counted(value, 'argument'),
  wanted: (value) => `${count(value)} wanted`,
  least: (value) => `at least ${count(value)} wanted`,
  firstOffset: (value) => `first at offset ${offset(value)}`,
  came: (value) => `${count(value)} came`,
  announced: (value) => `${counted(value, 'key')} announced`,
  announcedExpiring: (value) => `${counted(value, 'key')} with an expiry announced`,
  expiresAtMs: (value) => `it expires at ${instant(value)}`,
  records: (value) => counted(value, 'record'),
  line: (value) => `line ${value}`,
  number: (value) =>
    value === TYPE_MODULE_PRE_RELEASE
      ? `number ${value}: a module value as release candidates of Redis 4.0 wrote it, whose end only its module can find`
      : `number ${count(value)}`,
  safeCut: () => null,
  manifestOffset: () => null,
};

/** How a text in a finding's detail is introduced. */
const TEXTS: Readonly<Record<string, string>> = {
  reading: 'reading the',
  message: 'a server says',
  text: 'it reads',
  kind: 'type',
};

/** Details that may hold bytes of a dataset: what is found in place of something else can be anything. */
const CONTENT = new Set(['value', 'argument', 'key', 'field', 'member', 'element', 'found']);

/** What a finding's detail says, fact by fact. Texts are one character per byte. */
export function factsOf(detail: ErrorDetail, conceal: Conceal): string[] {
  return Object.entries(detail).flatMap(([name, value]) => {
    const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    if (typeof value === 'string') {
      if (name === 'form') return [`expected ${value}`]; // words of our own, never of the input
      const shown = conceal !== null && CONTENT.has(name) ? conceal(value) : quotedBytes(value);
      return [`${TEXTS[name] ?? words} ${shown}`];
    }
    const wording = NUMBERS[name];
    if (wording === undefined) return [`${words} ${Number.isInteger(value) ? count(value) : value}`];
    return wording(value, detail) ?? [];
  });
}

function hexByte(value: number, _detail: ErrorDetail): string {
  const hex = `0x${value.toString(16).padStart(2, '0')}`;
  return value > 32 && value < 127 ? `found ${hex} ('${String.fromCharCode(value)}')` : `found ${hex}`;
}
