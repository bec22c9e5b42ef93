import { findCommand, type KeyPositions } from '../model/commands.js';
import type { CommandSpans } from './command.js';

/**
 * Which arguments of a command are keys. One object is reused: argument `at[i]` is a key for each i below `count`, until
 * the next `find`. Of a command that was skimmed only the keys among the arguments held are found.
 */
export class KeyArguments {
  count = 0;
  at = new Int32Array(64);

  /** What no release knows is a command of a module: nearly all of those name one key, right behind the name. */
  find(command: CommandSpans): this {
    this.count = 0;
    if (command.held < 2) return this;
    const known = findCommand(command.bytes, command.starts[0]!, command.ends[0]!);
    if (known === null) this.add(1);
    else if (known.keys !== null) this.gather(command, known.keys);
    return this;
  }

  private gather(command: CommandSpans, keys: KeyPositions): void {
    const { first, step, numkeys, words } = keys;
    if (words === null && numkeys === 0) {
      const last = keys.last < 0 ? command.argc + keys.last : keys.last;
      this.addRange(command, first, last, step);
      return;
    }
    if (first > 0) this.addRange(command, first, first, 1);
    if (numkeys > 0) this.addCounted(command, keys);
    else if (words === 'STORE') this.addStored(command);
    else if (words === 'STREAMS') this.addStreams(command);
    else this.addMigrated(command);
  }

  private addRange(command: CommandSpans, first: number, last: number, step: number): void {
    const end = Math.min(last, command.held - 1);
    for (let i = first; i <= end; i += step) this.add(i);
  }

  private addCounted(command: CommandSpans, { numkeys, numkeysStep: step }: KeyPositions): void {
    const count = numkeys < command.held ? countAt(command, numkeys) : 0;
    this.addRange(command, numkeys + 1, numkeys + 1 + (count - 1) * step, step);
  }

  /** SORT and GEORADIUS take the last destination of several. */
  private addStored(command: CommandSpans): void {
    const isSort = command.is(0, 'SORT');
    let destination = -1;
    for (let i = isSort ? 2 : 5; i < command.held - 1; i++) {
      if (command.is(i, 'STORE') || (!isSort && command.is(i, 'STOREDIST'))) destination = ++i;
      else if (isSort && command.is(i, 'LIMIT')) i += 2;
      else if (isSort && (command.is(i, 'GET') || command.is(i, 'BY'))) i++;
    }
    if (destination > 0) this.add(destination);
  }

  private addStreams(command: CommandSpans): void {
    for (let i = 1; i < command.held; i++) {
      if (command.is(i, 'STREAMS')) {
        this.addRange(command, i + 1, i + Math.floor((command.argc - i - 1) / 2), 1);
        return;
      }
      if (command.is(i, 'GROUP')) i += 2;
      else if (command.is(i, 'BLOCK') || command.is(i, 'COUNT') || command.is(i, 'CLAIM')) i++;
    }
  }

  private addMigrated(command: CommandSpans): void {
    if (command.held > 3 && command.size(3) > 0) {
      this.add(3);
      return;
    }
    for (let i = 6; i < command.held; i++) {
      if (command.is(i, 'AUTH')) i++;
      else if (command.is(i, 'AUTH2')) i += 2;
      else if (command.is(i, 'KEYS')) {
        this.addRange(command, i + 1, command.argc - 1, 1);
        return;
      }
    }
  }

  private add(position: number): void {
    if (this.count === this.at.length) {
      const larger = new Int32Array(this.at.length * 4);
      larger.set(this.at);
      this.at = larger;
    }
    this.at[this.count++] = position;
  }
}

/** A number of keys as it stands there; 0 when it is none. */
function countAt(command: CommandSpans, i: number): number {
  const start = command.starts[i]!;
  const end = command.ends[i]!;
  if (end - start > 9) return 0;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = command.bytes[at]! - 48;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}
