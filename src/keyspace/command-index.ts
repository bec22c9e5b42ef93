import type { CommandSpans } from '../resp/command.js';
import type { CommandRow } from './commands/row.js';

const NAME_MAX = 32;

/** Finds the row of a command by its name in any case, straight from the bytes. */
export class CommandIndex {
  private readonly slots: (CommandRow | null)[];
  /** Upper-case names, by slot. */
  private readonly names: Uint8Array[];
  private readonly mask: number;

  constructor(rows: readonly CommandRow[]) {
    let size = 64;
    while (size < rows.length * 4) size *= 2;
    this.slots = new Array<CommandRow | null>(size).fill(null);
    this.names = new Array<Uint8Array>(size).fill(new Uint8Array(0));
    this.mask = size - 1;
    for (const row of rows) {
      const name = Buffer.from(row.name, 'latin1');
      let slot = foldedHash(name, 0, name.length) & this.mask;
      while (this.slots[slot] !== null) slot = (slot + 1) & this.mask;
      this.slots[slot] = row;
      this.names[slot] = name;
    }
  }

  find(command: CommandSpans): CommandRow | null {
    if (command.argc === 0 || command.size(0) > NAME_MAX) return null;
    const { bytes } = command;
    const start = command.starts[0]!;
    const end = command.ends[0]!;
    for (let slot = foldedHash(bytes, start, end) & this.mask; ; slot = (slot + 1) & this.mask) {
      const row = this.slots[slot]!;
      if (row === null || isName(this.names[slot]!, bytes, start, end)) return row;
    }
  }
}

function isName(name: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) {
    let c = bytes[start + i]!;
    if (c >= 97 && c <= 122) c -= 32;
    if (c !== name[i]) return false;
  }
  return true;
}

function foldedHash(bytes: Buffer, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + (bytes[i]! & 0x5f);
  return hash ^ (hash >>> 9);
}
