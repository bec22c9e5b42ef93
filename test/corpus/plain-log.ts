/** `[start, end)` of a log. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the whole commands of a log stand, up to the first byte that is none. Knows nothing of rekindle's scanner. */
function spansIn(log: Buffer): Span[] {
  const spans: Span[] = [];
  for (let at = 0; at < log.length; ) {
    const end = log[at] === HASH ? afterLine(log, at) : afterCommand(log, at);
    if (end < 0) break;
    if (log[at] !== HASH) spans.push({ start: at, end });
    at = end;
  }
  return spans;
}

/** The whole records of a log: commands, and annotations with their time. */
export function recordsIn(log: Buffer): { start: number; end: number; seconds: number | null }[] {
  const found: { start: number; end: number; seconds: number | null }[] = [];
  for (let at = 0; at < log.length; ) {
    const isNote = log[at] === HASH;
    const end = isNote ? afterLine(log, at) : afterCommand(log, at);
    if (end < 0) break;
    found.push({ start: at, end, seconds: isNote ? Number(log.latin1Slice(at + 4, end - 2)) : null });
    at = end;
  }
  return found;
}

/** The whole commands of a log as they stand. */
export function commandsIn(log: Buffer): string[] {
  return spansIn(log).map(({ start, end }) => log.latin1Slice(start, end));
}

/**
 * The commands that stand in the damaged log as they did in the whole one, each once. Where a transaction is no longer
 * whole, no MULTI and no EXEC is asked for: those that are left may belong to nothing.
 */
export function untouched(whole: Buffer, damaged: Buffer): string[] {
  const limit = Math.min(whole.length, damaged.length);
  let before = 0;
  while (before < limit && whole[before] === damaged[before]) before++;
  let behind = 0;
  while (behind < limit && whole[whole.length - 1 - behind] === damaged[damaged.length - 1 - behind])
    behind++;
  const after = whole.length - behind;
  const spans = spansIn(whole);
  const kept = spans.filter(({ end }) => end <= before);
  // What was put in can be like what stands there: no byte of the damaged log counts twice.
  const shift = damaged.length - whole.length;
  const next = Math.max(after, kept.at(-1)?.end ?? 0, (kept.at(-1)?.end ?? 0) - shift);
  kept.push(...spans.filter(({ start }) => start >= next));
  const lost = spans.filter((span) => !kept.includes(span));
  const broken = transactionsIn(spans, whole).filter((each) =>
    lost.some(({ start, end }) => each.start <= start && end <= each.end),
  );
  // One that the log only begins was never carried out.
  const begun = broken.find(({ start, end }) => start < before && end > before && next >= whole.length);
  return kept
    .filter(({ start }) => begun === undefined || start < begun.start)
    .map(({ start, end }) => whole.latin1Slice(start, end))
    .filter((command) => broken.length === 0 || !/^\*1\r\n\$\d+\r\n(multi|exec)\r\n$/i.test(command));
}

/** From each MULTI up to and with its EXEC. */
function transactionsIn(spans: readonly Span[], log: Buffer): Span[] {
  const found: Span[] = [];
  let open = -1;
  for (const { start, end } of spans) {
    const name = /^\*1\r\n\$\d+\r\n(\w+)\r\n$/.exec(log.latin1Slice(start, Math.min(end, start + 40)))?.[1];
    if (/^multi$/i.test(name ?? '')) open = start;
    if (!/^exec$/i.test(name ?? '') || open < 0) continue;
    found.push({ start: open, end });
    open = -1;
  }
  return found;
}

/** True when all of `some` stand in `all` in their order. */
export function isSubsequence(some: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const each of all) if (at < some.length && some[at] === each) at++;
  return at === some.length;
}

const HASH = 35;

function afterLine(log: Buffer, at: number): number {
  const end = log.indexOf('\r\n', at);
  return end < 0 ? -1 : end + 2;
}

function numberAt(
  log: Buffer,
  at: number,
  mark: string,
): { readonly value: number; readonly end: number } | null {
  const end = log.indexOf('\r\n', at);
  const text = end < 0 ? '' : log.latin1Slice(at, end);
  if (!text.startsWith(mark) || !/^.\+?\d{1,40}$/.test(text)) return null;
  return { value: Number(text.slice(1)), end: end + 2 };
}

function afterCommand(log: Buffer, start: number): number {
  const argc = numberAt(log, start, '*');
  if (argc === null) return -1;
  let at = argc.end;
  for (let i = 0; i < argc.value; i++) {
    const length = numberAt(log, at, '$');
    if (length === null) return -1;
    at = length.end + length.value;
    at += 2; // which bytes end an argument no server looks at
    if (at > log.length) return -1;
  }
  return at;
}
