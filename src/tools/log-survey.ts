import type { AofFileHandler } from '../aof/file.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { CommandSpans } from '../resp/command.js';

/** Counts the commands of a log by name and remembers its first and last time. */
export class LogSurvey implements AofFileHandler {
  readonly full = false;
  readonly stopped = false;
  commands = 0;
  transactions = 0;
  /** Unix seconds of the first and last annotation; null without any. */
  firstSeconds: number | null = null;
  lastSeconds: number | null = null;
  /** By the name in upper case, one character per byte. */
  readonly byName = new Map<string, number>();

  commandsStart(): void {}

  command(command: CommandSpans): void {
    this.commands++;
    const name = command.held === 0 || command.size(0) > NAME_MAX ? '…' : command.latin1(0).toUpperCase();
    if (name === 'EXEC') this.transactions++;
    this.byName.set(name, (this.byName.get(name) ?? 0) + 1);
  }

  annotation(_line: ByteSlice, _offset: number, seconds: number): void {
    if (Number.isNaN(seconds)) return;
    this.firstSeconds ??= seconds;
    this.lastSeconds = seconds;
  }

  flaw(): void {}
}

/** No command has a longer name. */
const NAME_MAX = 64;
