/** The longest first line that is looked at. */
const LINE_MAX = 1024;

/** The name that a function library gives itself in its first line, `#!lua name=…`; null when there is none. */
export function libraryName(code: Buffer): string | null {
  const newline = code.indexOf(10);
  const line = code.latin1Slice(0, Math.min(newline < 0 ? code.length : newline, LINE_MAX));
  return /^#!\S+(?:\s.*)?\sname=["']?([A-Za-z0-9_]+)["']?(?:\s|$)/.exec(line)?.[1] ?? null;
}
