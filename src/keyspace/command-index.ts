import type { CommandSpans } from '../resp/command.js';
import type { CommandRow } from './commands/row.js';

const NAME_MAX = 32;

/** Finds the row of a command by its name in any case, straight from the bytes. */
export class CommandIndex {
  private readonly slots: (CommandRow | null)[];
  private readonly mask: number;

  constructor(rows: readonly CommandRow[]) {
    let size = 64;
    while (size < rows.length * 4) size *= 2;
    this.slots = new Array<CommandRow | null>(size).fill(null);
    this.mask = size - 1;
    for (const row of rows) {
      const name = Buffer.from(row.name, 'latin1');
      let slot = foldedHash(name, 0, name.length) & this.mask;
      while (this.slots[slot] !== null) slot = (slot + 1) & this.mask;
      this.slots[slot] = row;
    }
  }

  find(command: CommandSpans): CommandRow | null {
    if (command.argc === 0 || command.size(0) > NAME_MAX) return null;
    const start = command.starts[0]!;
    let slot = foldedHash(command.bytes, start, command.ends[0]!) & this.mask;
    for (;;) {
      const row = this.slots[slot]!;
      if (row === null || command.is(0, row.name)) return row;
      slot = (slot + 1) & this.mask;
    }
  }
}

function foldedHash(bytes: Buffer, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + (bytes[i]! & 0x5f);
  return hash ^ (hash >>> 9);
}
