import { COMMAND_ROWS, SUBCOMMAND_ROWS } from './commands-table.js';

/** A command that some release knows, whether or not rekindle can execute it. */
export interface KnownCommand {
  /** In upper case. */
  readonly name: string;
  /** Number of arguments, the name included; negative: at least that many. The widest of all releases. */
  readonly arity: number;
  /** The release that brought it, such as `redis 7.4`, as far back as that is known. */
  readonly since: string;
  /** The module that brings it, for those that servers are delivered with. */
  readonly module?: string | undefined;
  /** Upper-case names of what servers since 7.0 know as commands of their own: any other is unknown to them. */
  readonly subcommands?: ReadonlySet<string> | undefined;
}

/** All of them, in no order. */
export const KNOWN_COMMANDS: readonly KnownCommand[] = Object.entries(COMMAND_ROWS).flatMap(
  ([from, rows]) => {
    const [, module, since] = /^(?:modules\/(\S+) )?(.*)$/.exec(from)!;
    return rows.split(' ').map((row) => {
      const colon = row.lastIndexOf(':');
      const name = row.slice(0, colon);
      const inside = SUBCOMMAND_ROWS[name]?.split(' ');
      const subcommands = inside === undefined ? undefined : new Set(inside);
      return { name, arity: Number(row.slice(colon + 1)), since: since!, module, subcommands };
    });
  },
);

/** A power of two, large enough that nearly every name has a slot to itself. */
const SLOTS = 4096;
const MASK = SLOTS - 1;
const LONGEST = Math.max(...KNOWN_COMMANDS.map(({ name }) => name.length));
const LOWER_BIT = 0x20;

const slots = new Array<KnownCommand | null>(SLOTS).fill(null);
/** The name in a slot, at `slot * STRIDE`: one run of bytes for all, so that comparing meets no object. */
const STRIDE = 32;
const names = new Uint8Array(SLOTS * STRIDE);

for (const command of KNOWN_COMMANDS) {
  const bytes = Buffer.from(command.name, 'latin1');
  let slot = hash(bytes, 0, bytes.length);
  while (slots[slot] !== null) slot = (slot + 1) & MASK;
  slots[slot] = command;
  names.set(bytes, slot * STRIDE);
}

/**
 * The command named by `bytes[start..end)` in any case, or null when no release knows it. Allocates nothing.
 */
export function findCommand(bytes: Uint8Array, start: number, end: number): KnownCommand | null {
  const length = end - start;
  if (length < 1 || length > LONGEST) return null;
  for (let slot = hash(bytes, start, end); ; slot = (slot + 1) & MASK) {
    const command = slots[slot]!;
    if (command === null || (command.name.length === length && isAt(slot * STRIDE, bytes, start, length))) {
      return command;
    }
  }
}

/** Whether a command can have so many arguments, its name included. */
export function arityFits(command: KnownCommand, argc: number): boolean {
  const { arity } = command;
  return arity >= 0 ? argc === arity : argc >= -arity;
}

/**
 * True for a name such as `JSON.SET`: modules name their commands so, and a server with the module loads what looks
 * unknown here.
 */
export function isModuleName(bytes: Uint8Array, start: number, end: number): boolean {
  const dot = bytes.subarray(start, end).indexOf(DOT);
  return dot > 0 && dot < end - start - 1;
}

function isAt(at: number, bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const wanted = names[at + i]!;
    const c = bytes[start + i]!;
    if (c !== wanted && (c !== (wanted | LOWER_BIT) || wanted < UPPER_A || wanted > UPPER_Z)) return false;
  }
  return true;
}

/** Of a few bytes only: it is taken of every command of a log, and names differ in them. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = bytes[start]! & ~LOWER_BIT;
  const second = bytes[start + (length >> 2)]! & ~LOWER_BIT;
  const middle = bytes[start + (length >> 1)]! & ~LOWER_BIT;
  const last = bytes[end - 1]! & ~LOWER_BIT;
  const mixed =
    Math.imul(first | (second << 8) | (middle << 16) | (last << 24), 0x9e3779b1) + length * 0x85eb;
  return (mixed ^ (mixed >>> 15)) & MASK;
}

const DOT = 46;
const UPPER_A = 65;
const UPPER_Z = 90;
