import { isUtf8 } from 'node:buffer';

// What a terminal might act on or a reader be deceived by: C0, DEL, C1, zero-width and bidirectional controls, line
// and paragraph separators, byte order mark, interlinear marks, tags, lone surrogates.
const DANGEROUS =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** Visible characters of ASCII but quotes and the backslash. */
const PLAIN = /^[!#-&(-[\]-~]+$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A path or message as it may be shown on a terminal: control characters stand as escapes of their UTF-8 bytes. */
export function printable(text: string): string {
  return text.replace(DANGEROUS, escapeCharacter);
}

/** The same for text of several lines: line feeds stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/**
 * Bytes (one character per byte) as one word: as they stand when harmless, else in double quotes with `\"`, `\\`, `\n`,
 * `\r`, `\t` and `\xHH`, which redis-cli reads back.
 */
export function quotedBytes(latin1: string): string {
  // Nearly all names: millions of them may be printed.
  if (PLAIN.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  const text = isUtf8(bytes) ? bytes.toString('utf8') : null;
  if (text === null) {
    return `"${latin1.replace(/["\\]/g, '\\$&').replace(/[^\x20-\x7e]/g, (c) => SHORT[c] ?? hexByte(c.charCodeAt(0)))}"`;
  }
  const safe = text.replace(/["\\]/g, '\\$&').replace(DANGEROUS, escapeCharacter);
  return safe === text && /^[^\s']+$/u.test(text) ? text : `"${safe}"`;
}

function escapeCharacter(character: string): string {
  return SHORT[character] ?? [...Buffer.from(character, 'utf8')].map(hexByte).join('');
}

const hexByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** A text as one word of a shell, which is told it as it stands. */
export function shellWord(text: string): string {
  const safe = printable(text);
  return /^[\w@%+=:,./-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "'\\''")}'`;
}

/** A path as one word of a shell; what a program would take for an option is no option then. */
export function shellPath(path: string): string {
  return shellWord(path.startsWith('-') ? `./${path}` : path);
}
