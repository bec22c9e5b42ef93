import type { CommandSpans } from '../../resp/command.js';

/**
 * What a command may have cost. `delete`: one DEL or UNLINK of many keys; `deletes`: many of them in a row; `rename`:
 * RENAME, which replaces what stands under the new name.
 */
export type DangerKind =
  | 'flushall'
  | 'flushdb'
  | 'flushslots'
  | 'delete'
  | 'deletes'
  | 'rename'
  | 'swapdb'
  | 'script'
  | 'function';

/** A kind that one command is by itself. */
export type CommandDanger = Exclude<DangerKind, 'deletes'>;

/**
 * What of that a command is; any DEL and UNLINK is a `delete`, however many keys it names. Told by length and first letter
 * before anything is compared: nearly every command is none of these.
 */
export function dangerOf(command: CommandSpans): CommandDanger | null {
  const start = command.starts[0]!;
  const first = command.bytes[start]! | LOWER;
  switch (command.ends[0]! - start) {
    case 3:
      return first === LETTER_D && command.is(0, 'DEL') ? 'delete' : null;
    case 6:
      return ofSix(first, command);
    case 7:
      if (first === LETTER_F) return command.is(0, 'FLUSHDB') ? 'flushdb' : null;
      return first === LETTER_C && command.is(0, 'CLUSTER') && flushesSlots(command) ? 'flushslots' : null;
    case 8:
      if (first !== LETTER_F) return null;
      return command.is(0, 'FLUSHALL') ? 'flushall' : command.is(0, 'FUNCTION') ? 'function' : null;
    case 9:
      return first === LETTER_T && command.is(0, 'TRIMSLOTS') ? 'flushslots' : null;
    default:
      return null;
  }
}

function ofSix(first: number, command: CommandSpans): CommandDanger | null {
  if (first === LETTER_U) return command.is(0, 'UNLINK') ? 'delete' : null;
  if (first === LETTER_R) return command.is(0, 'RENAME') ? 'rename' : null;
  if (first !== LETTER_S) return null;
  if (command.is(0, 'SCRIPT')) return 'script';
  if (command.is(0, 'SWAPDB')) return 'swapdb';
  return command.is(0, 'SFLUSH') ? 'flushslots' : null;
}

function flushesSlots(command: CommandSpans): boolean {
  return command.is(1, 'FLUSHSLOT') || command.is(1, 'FLUSHSLOTS');
}

/** Makes a letter lower case. */
const LOWER = 0x20;
const [LETTER_C, LETTER_D, LETTER_F, LETTER_R, LETTER_S, LETTER_T, LETTER_U] = [
  99, 100, 102, 114, 115, 116, 117,
] as const;
