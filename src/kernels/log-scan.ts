import { compile } from './compile.js';
import { LOG_SCAN_WASM } from './wasm/log-scan.generated.js';

/** Kinds of commands that a scan has to tell apart. */
export const ORDINARY = 0;
export const MULTI = 1;
export const EXEC = 2;
export const SELECT = 3;

export type CommandKind = typeof ORDINARY | typeof MULTI | typeof EXEC | typeof SELECT;

// What is looked at besides framing and names, as bits.
/** Numbers of arguments and of databases. */
export const ARGUMENTS = 1;
/** MULTI and EXEC are followed; else they are commands like any other. */
export const TRANSACTIONS = 2;
/** Annotations are passed over; else they are left. */
export const ANNOTATIONS = 4;
/** A record is passed over only if another one seems to start behind it. */
export const FOLLOWED = 8;
/** SELECT is left. */
export const NO_SELECT = 16;

const STATUS = 0x100;
const NAME = 0x200;
const INPUT = 0x10000;
/** What is read behind the end of the records. */
const SLACK = 64;
const SIDE_ROOM = 2 * 1024 * 1024 + SLACK;

/** What assembly/log-scan.ts exports. */
interface LogScanExports {
  readonly memory: WebAssembly.Memory;
  learn(length: number, least: number, more: number, kind: CommandKind): void;
  pass(from: number, to: number, looks: number): number;
}

/**
 * Passes over the commands of a log that stand as servers write them and are in order, and stops at whatever is not. It
 * works on bytes that stand in its own memory: readers fill its rooms.
 */
export class LogScan {
  /** Two pieces of its memory, equally long, to read into by turns. */
  readonly rooms: readonly [Buffer, Buffer];
  /** Another, of 2 MiB, for whoever reads elsewhere meanwhile. */
  readonly sideRoom: Buffer;
  /** Commands that the last pass went over, and arguments in them. */
  commands = 0;
  argumentCount = 0;
  /** Positions in the bytes given where the last of these arguments begins, and its command. */
  lastArgument = 0;
  lastCommand = 0;
  /** Seconds of the last annotation that it went over; NaN: of none. */
  seconds = Number.NaN;
  /** Whether a transaction is open, in front of the pass and behind it. */
  open = false;
  /** Positions where the last MULTI that was passed begins and ends; -1: none was. */
  multiAt = -1;
  multiEnd = -1;
  /** Commands queued in the open transaction, in front of the pass and behind it. */
  queued = 0;
  private readonly status: Int32Array;
  private readonly time: Float64Array;
  private readonly name: Buffer;

  private constructor(private readonly exports: LogScanExports) {
    const { buffer } = exports.memory;
    this.status = new Int32Array(buffer, STATUS, 11);
    this.time = new Float64Array(buffer, STATUS + 24, 1);
    this.name = Buffer.from(buffer, NAME, 32);
    const side = buffer.byteLength - SIDE_ROOM;
    const room = (side - INPUT) >> 1;
    this.rooms = [Buffer.from(buffer, INPUT, room - SLACK), Buffer.from(buffer, INPUT + room, room - SLACK)];
    this.sideRoom = Buffer.from(buffer, side, SIDE_ROOM - SLACK);
  }

  /** Null where WebAssembly is not to be had. */
  static create(): LogScan | null {
    try {
      return new LogScan(
        new WebAssembly.Instance(compile(LOG_SCAN_WASM)).exports as unknown as LogScanExports,
      );
    } catch {
      return null;
    }
  }

  /** `name` is 3 to 16 upper-case letters; `arity` as servers count it: negative for "at least". */
  learn(name: string, arity: number, kind: CommandKind): void {
    this.name.latin1Write(name);
    this.exports.learn(name.length, Math.abs(arity), arity < 0 ? 0x7fffffff : 0, kind);
  }

  /** True for bytes that stand in its memory. */
  holds(bytes: Buffer): boolean {
    return bytes.buffer === this.exports.memory.buffer;
  }

  /**
   * Passes over records of `bytes[position..end)`, which must be in its memory, as far as nothing in them asks for a closer
   * look. Returns where it stopped.
   */
  pass(bytes: Buffer, position: number, end: number, looks: number): number {
    const { status } = this;
    const { byteOffset } = bytes;
    status[1] = this.open ? 1 : 0;
    status[2] = 0;
    status[3] = this.queued;
    const stop = this.exports.pass(byteOffset + position, byteOffset + end, looks);
    this.commands = status[0]!;
    this.open = status[1] !== 0;
    this.multiAt = status[2] === 0 ? -1 : status[2]! - byteOffset;
    this.multiEnd = status[2] === 0 ? -1 : status[9]! - byteOffset;
    this.queued = status[3]!;
    this.argumentCount = status[4]!;
    this.lastArgument = status[5]! - byteOffset;
    this.lastCommand = status[10]! - byteOffset;
    this.seconds = status[8] === 0 ? Number.NaN : this.time[0]!;
    return stop - byteOffset;
  }
}
