const LF = 10;

/** How many commands stand in bytes that we made ourselves: arrays of texts, nothing else. */
export function countCommands(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; count++) at = endOfCommand(bytes, at, null);
  return count;
}

/** The arguments of the first command in such bytes, as views. */
export function argumentsOf(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  endOfCommand(bytes, 0, found);
  return found;
}

/** A SELECT in front, and the rest: what goes before the transaction and what belongs inside. */
export function splitSelect(bytes: Buffer): [select: Buffer, rest: Buffer] {
  const name = argumentsOf(bytes)[0]!.latin1Slice();
  const end = name === 'SELECT' ? endOfCommand(bytes, 0, null) : 0;
  return [bytes.subarray(0, end), bytes.subarray(end)];
}

function endOfCommand(bytes: Buffer, start: number, into: Buffer[] | null): number {
  let line = bytes.indexOf(LF, start);
  const argc = Number(bytes.latin1Slice(start + 1, line - 1));
  let at = line + 1;
  for (let i = 0; i < argc; i++) {
    line = bytes.indexOf(LF, at);
    const length = Number(bytes.latin1Slice(at + 1, line - 1));
    into?.push(bytes.subarray(line + 1, line + 1 + length));
    at = line + 1 + length + 2;
  }
  return at;
}
