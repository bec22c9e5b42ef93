import { FormatError } from '../errors.js';
import { arityFits, findCommand, isModuleName } from '../model/commands.js';
import type { FindingCode } from '../model/finding.js';
import type { CommandSpans } from '../resp/command.js';
import type { DamagedRange } from './damage.js';
import { isPlainText } from './log-heads.js';

/** Longest piece of a name that a damaged range quotes. */
const NAME_SHOWN = 40;
/** No command has a longer name. */
const NAME_MAX = 64;

/** Why no server loads a command that is framed well; null when one does. A name with a dot passes for a module's. */
export function flawOf(command: CommandSpans): FindingCode | null {
  if (command.held === 0) return 'aof/unknown-command';
  const { bytes, argc } = command;
  const start = command.starts[0]!;
  const end = command.ends[0]!;
  const known = findCommand(bytes, start, end);
  if (known !== null) return arityFits(known, argc) ? null : 'aof/wrong-arity';
  return isModuleName(bytes, start, end) && !hasStrangeName(command) ? null : 'aof/unknown-command';
}

/** True for a name that no server ever had, such as one whose length took in what follows: records may be inside. */
export function hasStrangeName(command: CommandSpans): boolean {
  if (command.held === 0) return true;
  const { bytes } = command;
  const start = command.starts[0]!;
  const end = command.ends[0]!;
  return end - start > NAME_MAX || !isPlainText(bytes, start, end);
}

export function unknownCommand(command: CommandSpans): FormatError {
  return new FormatError('aof/unknown-command', command.offset, detailOf(command));
}

/** A record of its own that no server loads. */
export function unloadable(command: CommandSpans, code: FindingCode): DamagedRange {
  const { offset, length } = command;
  return { start: offset, end: offset + length, code, offset, detail: detailOf(command), trail: [] };
}

function detailOf(command: CommandSpans) {
  const name = command.held === 0 ? '' : command.latin1(0).slice(0, NAME_SHOWN);
  return { command: name, arguments: command.argc };
}
