/** A line that the official checkers word in a way that rekindle deliberately does not. */
interface Rewording {
  readonly why: string;
  readonly theirs: RegExp;
  readonly ours: RegExp;
}

const REWORDINGS: readonly Rewording[] = [
  {
    why: 'the byte behind the end of a cut line is memory that was never written; here it is always 00',
    theirs: /^0x[ 0-9a-f]{16}: Expected \\r\\n, got: 00[0-9a-f]+$/,
    ours: /^0x[ 0-9a-f]{16}: Expected \\r\\n, got: 0000$/,
  },
  {
    why: 'a byte that is no printable character is shown as an escape',
    theirs: /^0x[ 0-9a-f]{16}: Expected prefix '\$', got: '([^ -~]'|$)/,
    ours: /^0x[ 0-9a-f]{16}: Expected prefix '\$', got: '\\[xnrt]([0-9a-f]{2})?'$/,
  },
  {
    why: 'places in the C source mean nothing here; the offset is that of the damage, not of the end of its string',
    theirs: /^\[offset \d+\] Internal error in RDB reading offset \d+, function at rdb\.c:\d+ -> /,
    ours: /^\[offset \d+\] Internal error in RDB reading offset \d+ -> ./,
  },
  {
    why: 'the table of names of 7.0 has no name for its own type 19',
    theirs: /^\[additional info\] Reading type 19 \(unknown\)$/,
    ours: /^\[additional info\] Reading type 19 \(stream-v2\)$/,
  },
];

/** The result lines of an official checker: process id, time and empty lines of a server's log are left out. */
export function officialLines(output: string): string[] {
  return output
    .replace("got: '\n'", "got: '\\n'") // a line feed that stands where `$` should, printed as it is
    .split('\n')
    .map((line) => line.replace(/^\d+:C \d\d \w{3} \d{4} [\d:.]+ # /, ''))
    .filter((line) => line !== '' && line !== 'Terminating server after rdb file reading failure.');
}

/** The lines in which two reports differ other than in a known rewording; none when they agree. */
export function disagreements(theirs: readonly string[], ours: readonly string[]): string[] {
  const length = Math.max(theirs.length, ours.length);
  return Array.from({ length }, (_, i) => [theirs[i] ?? '(nothing)', ours[i] ?? '(nothing)'] as const)
    .filter(([a, b]) => a !== b && !REWORDINGS.some((each) => each.theirs.test(a) && each.ours.test(b)))
    .map(([a, b]) => `${a} | ${b}`);
}
