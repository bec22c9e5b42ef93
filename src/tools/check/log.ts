import type { AofFileHandler } from '../../aof/file.js';
import { type CommandRole, MULTI, QUEUED } from '../../aof/transaction.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { ANNOTATIONS, ARGUMENTS, type LogScan, TRANSACTIONS } from '../../kernels/log-scan.js';
import { arityFits, findCommand, isModuleName, type KnownCommand } from '../../model/commands.js';
import type { FindingCode } from '../../model/finding.js';
import { announcesBlock } from '../../resp/blocks.js';
import type { CommandSpans } from '../../resp/command.js';
import type { PassingHandler } from '../../resp/passer.js';
import type { NotChecked } from '../report.js';
import type { FindingList } from './findings.js';

/** What was counted in a log or a part of one. */
export interface LogCounts {
  readonly commands: number;
  /** Commands with a name that modules give. */
  readonly moduleCommands: number;
  /** The name of the first of them, one character per byte; '' without any. */
  readonly firstModuleCommand: string;
  /** Offset of the first line that announces a block with a checksum; -1 without any. */
  readonly firstBlock: number;
  /** Unix seconds of the last `#TS` annotation; -1 without any. */
  readonly lastSeconds: number;
}

const known = (name: string): KnownCommand => findCommand(Buffer.from(name), 0, name.length)!;
const SELECT = known('SELECT');
const DISCARD = known('DISCARD');

/** Names are shown up to here: an unknown one can be anything. */
const NAME_SHOWN_MAX = 64;

/**
 * Counts the commands of a log, holds each to the names and numbers of arguments that servers know, unless `quick`, and
 * gathers what is wrong.
 */
export class LogCheck implements AofFileHandler, PassingHandler, LogCounts {
  commands = 0;
  moduleCommands = 0;
  firstModuleCommand = '';
  firstBlock = -1;
  lastSeconds = -1;
  /** Absolute offset of the first command. */
  start = 0;
  /** The first record that ends here or behind is told to `onReach`. */
  passUpTo = Number.POSITIVE_INFINITY;
  /** Told where that record ends, and whether a transaction is open there. */
  onReach: (end: number, open: boolean) => void = () => {};
  full = false;
  stopped = false;
  /** Offset of the first record that a server refuses, or of the MULTI around it; -1: none. */
  firstRefused = -1;
  readonly looks: number;
  private transactionOffset = -1;

  /** `onStart` is told where the commands begin. */
  constructor(
    private readonly findings: FindingList,
    private readonly quick: boolean,
    private readonly onStart: (offset: number) => void = () => {},
  ) {
    this.looks = TRANSACTIONS | ANNOTATIONS | (quick ? 0 : ARGUMENTS);
  }

  /** Counts what another thread has read of what follows, too. */
  adopt(counts: LogCounts): void {
    this.commands += counts.commands;
    this.moduleCommands += counts.moduleCommands;
    if (this.firstModuleCommand === '') this.firstModuleCommand = counts.firstModuleCommand;
    if (this.firstBlock < 0) this.firstBlock = counts.firstBlock;
    if (counts.lastSeconds >= 0) this.lastSeconds = counts.lastSeconds;
  }

  /** Counts what was read of what stands before it, too. */
  adoptEarlier(counts: LogCounts): void {
    this.commands += counts.commands;
    this.moduleCommands += counts.moduleCommands;
    if (counts.firstModuleCommand !== '') this.firstModuleCommand = counts.firstModuleCommand;
    if (counts.firstBlock >= 0) this.firstBlock = counts.firstBlock;
    if (this.lastSeconds < 0) this.lastSeconds = counts.lastSeconds;
  }

  /** Counts from zero again. */
  forget(): void {
    this.commands = this.moduleCommands = 0;
    this.firstModuleCommand = '';
    this.firstBlock = this.lastSeconds = -1;
  }

  commandsStart(offset: number): void {
    this.start = offset;
    this.onStart(offset);
  }

  command(command: CommandSpans, role: CommandRole): void {
    this.commands++;
    if (role === MULTI) this.transactionOffset = command.offset;
    else if (role !== QUEUED) this.transactionOffset = -1;
    if (!this.quick) this.judge(command, role);
    this.reach(command.offset + command.length);
  }

  passed({ commands, seconds, open, multiAt }: LogScan, end: number, base: number): void {
    this.commands += commands;
    if (!open) this.transactionOffset = -1;
    else if (multiAt >= 0) this.transactionOffset = base + multiAt;
    if (!Number.isNaN(seconds)) this.lastSeconds = seconds;
    this.reach(end);
  }

  annotation(line: ByteSlice, offset: number, seconds: number): void {
    if (!Number.isNaN(seconds)) this.lastSeconds = seconds;
    if (this.firstBlock < 0 && announcesBlock(line)) this.firstBlock = offset;
    this.reach(offset + line.length);
  }

  flaw(code: FindingCode, offset: number): void {
    this.findings.add(code, offset);
  }

  private reach(end: number): void {
    if (end >= this.passUpTo) this.onReach(end, this.transactionOffset >= 0);
  }

  /** Whether a server would know what to do with it. */
  private judge(command: CommandSpans, role: CommandRole): void {
    const { argc } = command;
    // The name of a command too large to be held is no name.
    const found = command.held > 0 ? findCommand(command.bytes, command.starts[0]!, command.ends[0]!) : null;
    if (found === null) {
      this.unknown(command);
    } else if (!arityFits(found, argc)) {
      const least = found.arity < 0;
      const detail = {
        command: found.name,
        arguments: argc - 1,
        [least ? 'least' : 'wanted']: Math.abs(found.arity) - 1,
      };
      this.refuse('aof/wrong-arity', command, detail);
    } else if (found.subcommands !== undefined) {
      if (command.held > 1 && found.subcommands.has(command.latin1(1).toUpperCase())) return;
      this.refuse('aof/unknown-command', command, { found: `${found.name} ${nameAt(command, 1)}` });
    } else if (found === SELECT) {
      if (command.held > 1 && /^(?:0|[1-9]\d{0,9})$/.test(command.latin1(1))) return;
      this.refuse('aof/bad-select', command, { found: nameAt(command, 1) });
    } else if (found === DISCARD && role === QUEUED) {
      this.refuse('aof/discard-in-multi', command, {});
    }
  }

  private unknown(command: CommandSpans): void {
    if (command.held > 0 && isModuleName(command.bytes, command.starts[0]!, command.ends[0]!)) {
      if (this.moduleCommands++ === 0) this.firstModuleCommand = nameAt(command, 0);
    } else {
      this.refuse('aof/unknown-command', command, { found: nameAt(command, 0) });
    }
  }

  private refuse(
    code: FindingCode,
    command: CommandSpans,
    detail: Readonly<Record<string, string | number>>,
  ): void {
    const { offset, length } = command;
    if (this.firstRefused < 0) {
      this.firstRefused = this.transactionOffset < 0 ? offset : this.transactionOffset;
    }
    this.findings.add(code, offset, { ...detail, safeCut: this.firstRefused }, { length });
  }

  notChecked(path: string): NotChecked[] {
    if (this.commands === 0) return [];
    const what = this.quick ? 'names and arguments of commands' : 'effect of commands';
    const why = this.quick ? '--quick walks past them' : 'they are not executed; `rekindle replay` does';
    const list: NotChecked[] = [{ path, what, why, routine: !this.quick }];
    const { moduleCommands } = this;
    if (moduleCommands > 0) {
      const many = moduleCommands === 1 ? '1 command of a module' : `${moduleCommands} commands of modules`;
      list.push({
        path,
        what: `${many}, the first ${this.firstModuleCommand}`,
        why: 'a server without the module refuses the log',
        routine: false,
      });
    }
    return list;
  }
}

function nameAt(command: CommandSpans, i: number): string {
  if (i >= command.held) return '';
  const start = command.starts[i]!;
  return command.bytes.latin1Slice(start, Math.min(command.ends[i]!, start + NAME_SHOWN_MAX));
}
