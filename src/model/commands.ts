import { KEY_ROWS } from './command-keys-table.js';
import { COMMAND_ROWS, SUBCOMMAND_ROWS } from './commands-table.js';

/** Which arguments of a command are keys; see the table of them for what each form means. */
export interface KeyPositions {
  /** A range of arguments, `last` counted from the end when negative; `first` 0: none. */
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** The argument that says how many keys follow it, each `numkeysStep` from the one before; 0: none does. */
  readonly numkeys: number;
  readonly numkeysStep: number;
  /** Where keys are told by words. */
  readonly words: 'STORE' | 'STREAMS' | 'MIGRATE' | null;
}

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
  /** Null when none of its arguments is a key. */
  readonly keys: KeyPositions | null;
}

const KEYS_OF = new Map(
  Object.entries(KEY_ROWS).flatMap(([row, names]) => {
    const positions = keyPositionsOf(row);
    return names.split(' ').map((name) => [name, positions] as const);
  }),
);

/** All of them, in no order. */
export const KNOWN_COMMANDS: readonly KnownCommand[] = Object.entries(COMMAND_ROWS).flatMap(
  ([from, rows]) => {
    const [, module, since] = /^(?:modules\/(\S+) )?(.*)$/.exec(from)!;
    return rows.split(' ').map((row) => {
      const colon = row.lastIndexOf(':');
      const name = row.slice(0, colon);
      const inside = SUBCOMMAND_ROWS[name]?.split(' ');
      const subcommands = inside === undefined ? undefined : new Set(inside);
      const arity = Number(row.slice(colon + 1));
      return { name, arity, since: since!, module, subcommands, keys: KEYS_OF.get(name) ?? null };
    });
  },
);

/** A power of two, large enough that nearly every name has a slot to itself. */
const SLOTS = 4096;
const MASK = SLOTS - 1;
const SHORTEST = 3;
const LONGEST = Math.max(...KNOWN_COMMANDS.map(({ name }) => name.length));
/** Differs between the cases of a letter. */
const CASE_BIT = 0x20;
/** Takes that bit out of four bytes at once. */
const FOLD = 0xdfdfdfdf | 0;

const slots = new Array<KnownCommand | null>(SLOTS).fill(null);
/** Length, first and last four bytes of the name in a slot, without their case: what nearly always decides. */
const lengths = new Uint8Array(SLOTS);
const heads = new Int32Array(SLOTS);
const tails = new Int32Array(SLOTS);
/** 1 where the two words are all of the name, and nothing but letters. */
const wordy = new Uint8Array(SLOTS);

for (const command of KNOWN_COMMANDS) {
  const bytes = Buffer.from(command.name, 'latin1');
  const head = headAt(bytes, 0, bytes.length) & FOLD;
  const tail = tailAt(bytes, 0, bytes.length) & FOLD;
  let slot = slotOf(head, tail, bytes.length);
  while (slots[slot] !== null) slot = (slot + 1) & MASK;
  slots[slot] = command;
  lengths[slot] = bytes.length;
  heads[slot] = head;
  tails[slot] = tail;
  wordy[slot] = /^[A-Z]{1,8}$/.test(command.name) ? 1 : 0;
}

/**
 * The command named by `bytes[start..end)` in any case, or null when no release knows it. Allocates nothing: a check
 * asks for every command of a log.
 */
export function findCommand(bytes: Uint8Array, start: number, end: number): KnownCommand | null {
  const length = end - start;
  if (length < SHORTEST || length > LONGEST) return null;
  const rawHead = headAt(bytes, start, end);
  const rawTail = tailAt(bytes, start, end);
  const head = rawHead & FOLD;
  const tail = rawTail & FOLD;
  for (let slot = slotOf(head, tail, length); lengths[slot] !== 0; slot = (slot + 1) & MASK) {
    if (heads[slot] !== head || tails[slot] !== tail || lengths[slot] !== length) continue;
    const command = slots[slot]!;
    // Words that had nothing to fold are letters of the name itself.
    if (rawHead === head && rawTail === tail && wordy[slot] === 1) return command;
    if (isName(command.name, bytes, start)) return command;
  }
  return null;
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

function keyPositionsOf(row: string): KeyPositions {
  const [, first = '0', last = first, step = '1'] = /^(\d+)(?:\.\.(-?\d+))?(?:\/(\d+))?/.exec(row) ?? [];
  const [, numkeys = '0', numkeysStep = '1'] = /numkeys (\d+)(?:\/(\d+))?/.exec(row) ?? [];
  const words = (['STORE', 'STREAMS', 'MIGRATE'] as const).find((word) => row.endsWith(word)) ?? null;
  return {
    first: Number(first),
    last: Number(last),
    step: Number(step),
    numkeys: Number(numkeys),
    numkeysStep: Number(numkeysStep),
    words,
  };
}

function isName(name: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < name.length; i++) {
    const wanted = name.charCodeAt(i);
    const c = bytes[start + i]!;
    const isLetter = wanted >= UPPER_A && wanted <= UPPER_Z;
    if (c !== wanted && !(isLetter && c === (wanted | CASE_BIT))) return false;
  }
  return true;
}

function headAt(bytes: Uint8Array, start: number, end: number): number {
  const three = bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16);
  return end - start > 3 ? three | (bytes[start + 3]! << 24) : three;
}

/** Zero for a name of three bytes. */
function tailAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 4) return 0;
  return bytes[end - 4]! | (bytes[end - 3]! << 8) | (bytes[end - 2]! << 16) | (bytes[end - 1]! << 24);
}

function slotOf(head: number, tail: number, length: number): number {
  const mixed = Math.imul(head ^ Math.imul(tail, 0x85ebca6b), 0x9e3779b1) + length;
  return (mixed ^ (mixed >>> 15)) & MASK;
}

const DOT = 46;
const UPPER_A = 65;
const UPPER_Z = 90;
