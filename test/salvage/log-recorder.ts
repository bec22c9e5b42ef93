import type { ByteSlice } from '../../src/bytes/slice.js';
import { MemorySource } from '../../src/bytes/source.js';
import type { FindingCode } from '../../src/model/finding.js';
import type { CommandSpans } from '../../src/resp/command.js';
import type { DamagedRange, DoubtfulRange } from '../../src/salvage/damage.js';
import { type LogSalvageHandler, salvageLog } from '../../src/salvage/log-salvage.js';

/** Writes down what a salvager tells. */
export class SalvageRecorder implements LogSalvageHandler {
  readonly stopped = false;
  /** `offset command` in file order, damage and doubts among them. */
  readonly lines: string[] = [];
  readonly ranges: [number, number][] = [];
  readonly damages: DamagedRange[] = [];
  readonly doubts: DoubtfulRange[] = [];
  /** The first argument of every command behind its name. */
  readonly keys: string[] = [];
  full = false;

  constructor(private readonly pauses = false) {}

  command(command: CommandSpans): void {
    const { offset, length, held } = command;
    this.ranges.push([offset, offset + length]);
    this.keys.push(held > 1 ? command.latin1(1) : command.latin1(0));
    this.add(`${offset}+${length} ${command.latin1(0)} ${held > 1 ? command.latin1(1) : ''}`);
  }

  annotation(line: ByteSlice, offset: number): void {
    this.add(`${offset}+${line.length} #`);
  }

  flaw(code: FindingCode, offset: number): void {
    this.lines.push(`${offset} ${code}`);
  }

  damage(range: DamagedRange): void {
    this.damages.push(range);
    this.lines.push(`${range.start}-${range.end} ${range.code} ${range.offset}`);
  }

  doubtful(range: DoubtfulRange): void {
    this.doubts.push(range);
    this.lines.push(`${range.start}-${range.end} ${range.why} ${range.records}`);
  }

  drain(): Promise<void> {
    this.full = false;
    return Promise.resolve();
  }

  private add(line: string): void {
    this.lines.push(line);
    this.full = this.pauses;
  }
}

export interface SalvageWay {
  readonly doubtful?: boolean;
  readonly pauses?: boolean;
  readonly chunkBytes?: number;
  readonly start?: number;
}

export async function salvaged(bytes: Buffer, way: SalvageWay = {}): Promise<SalvageRecorder> {
  const recorder = new SalvageRecorder(way.pauses);
  await salvageLog(new MemorySource(bytes), way.start ?? 0, recorder, {
    doubtful: way.doubtful ?? false,
    drain: () => recorder.drain(),
    ...(way.chunkBytes === undefined ? {} : { chunkBytes: way.chunkBytes }),
  });
  return recorder;
}

/** One command of any arguments, one byte per character. */
export function record(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}
