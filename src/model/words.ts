/**
 * A line split into words as the servers split their configuration and manifests: blanks separate, `"…"` with escapes,
 * `'…'` with `\'` alone. One character per byte. Null when a quote is not closed or text follows a closing one.
 */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (isBlank(line[at])) at++;
    if (at >= line.length) return words;
    let word = '';
    let quoted = '';
    for (; at < line.length; at++) {
      const c = line[at]!;
      if (quoted === '') {
        if (SEPARATORS.includes(c)) break;
        if (c === '"' || c === "'") quoted = c;
        else word += c;
      } else if (c === quoted) {
        if (at + 1 < line.length && !isBlank(line[at + 1])) return null;
        quoted = '';
        at++;
        break;
      } else if (c === '\\' && quoted === "'" && line[at + 1] === "'") {
        word += line[++at];
      } else if (c === '\\' && quoted === '"' && at + 1 < line.length) {
        const hex = /^x([0-9a-fA-F]{2})/.exec(line.slice(at + 1, at + 4));
        if (hex === null) word += ESCAPES[line[at + 1]!] ?? line[at + 1];
        else word += String.fromCharCode(Number.parseInt(hex[1]!, 16));
        at += hex === null ? 1 : 3;
      } else {
        word += c;
      }
    }
    if (quoted !== '') return null;
    words.push(word);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };
const SEPARATORS = ' \n\r\t';

/** C's isspace; a plain word, though, ends only at the four separators above. */
function isBlank(c: string | undefined): boolean {
  return c !== undefined && (c === ' ' || (c >= '\t' && c <= '\r'));
}

/** True when a server would quote the name in a manifest. One character per byte. */
export function needsQuotes(name: string): boolean {
  return /[^!-~]|["\\]/.test(name);
}

/** The text in double quotes with the escapes the servers write. One character per byte. */
export function quote(text: string): string {
  const body = text.replace(/[\\"]|[^ -~]/g, (c) => {
    if (c === '\\' || c === '"') return `\\${c}`;
    return NAMES[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${body}"`;
}

const NAMES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
};
