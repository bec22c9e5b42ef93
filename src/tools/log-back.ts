import { AofFileMachine } from '../aof/file.js';
import type { CommandRole, TransactionTracker } from '../aof/transaction.js';
import { pump } from '../bytes/pump.js';
import type { FileSource, WaitingReader } from '../bytes/source.js';
import { ByteWindow } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import type { LogScan } from '../kernels/log-scan.js';
import type { FindingCode } from '../model/finding.js';
import type { CommandSpans } from '../resp/command.js';
import { createLogScan, LogPasser } from '../resp/passer.js';
import { SKIM } from '../resp/scanner.js';
import { FindingList } from './check-findings.js';
import { LogCheck, type LogCounts } from './check-log.js';
import { LogShare } from './log-share.js';
import type { LogBackTask } from './thread.js';

/** Bytes behind the start of a piece that are searched for the start of a record, at first and at last. */
const SEARCH_BYTES = 16 * 1024;
const SEARCH_MAX = 1024 * 1024;
const RECORD_START = /\r\n\*[1-9]\d{0,5}\r\n\$\d{1,9}\r\n/;
/** What is read fits into the cache of a core with what is read ahead. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Checks a log from its end backwards: each piece from a place where a record seems to start up to where the piece behind
 * it began. Ends when no piece is left, or at one that is not in order from there: `offset` is where the last good one
 * began. Whether a record really starts there, outside any transaction, only who comes from the front can tell.
 */
export async function checkLogBack(
  source: FileSource,
  task: LogBackTask,
): Promise<LogCounts & { readonly offset: number }> {
  const share = new LogShare(task.start, task.end, task.pieceBytes, task.claimed);
  const scan = createLogScan();
  const reader = await source.openWaiting();
  const total = new LogCheck(new FindingList(source.label), task.quick);
  let offset = task.end;
  try {
    for (let piece = share.pieces - 1; piece >= 0 && share.claim(); piece--) {
      const from = await findRecord(reader, share.endOf(piece), offset);
      // One value may be longer than a piece.
      if (from === null) continue;
      const check = new PieceCheck(from, new FindingList(source.label), task.quick);
      // A transaction that is longer than a piece would be read again with every piece.
      if (!(await checkPiece(reader, check, offset, scan)) || check.from === offset) break;
      total.adoptEarlier(check);
      offset = check.from;
    }
  } finally {
    await reader.close();
  }
  const { commands, moduleCommands, firstModuleCommand, firstBlock, lastSeconds } = total;
  return { offset, commands, moduleCommands, firstModuleCommand, firstBlock, lastSeconds };
}

/** True when every record from there up to `end` was read, without a flaw and with no transaction open at the end. */
async function checkPiece(
  reader: WaitingReader,
  check: PieceCheck,
  end: number,
  scan: LogScan | null,
): Promise<boolean> {
  const window = new ByteWindow();
  window.base = check.from;
  window.limit = end;
  reader.enter(check.from, end);
  const passer = scan === null ? null : (of: TransactionTracker) => new LogPasser(scan, check, of);
  try {
    const machine = new AofFileMachine(check, null, SKIM, passer);
    await pump(reader, window, machine, { chunkBytes: CHUNK_BYTES, rooms: scan?.rooms });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return false;
  }
  return check.clean;
}

/** Checks a piece. It may begin inside a transaction: then what is before the EXEC is left to who comes from the front. */
class PieceCheck extends LogCheck {
  private closes = false;

  constructor(
    public from: number,
    private readonly flaws: FindingList,
    quick: boolean,
  ) {
    super(flaws, quick);
  }

  get clean(): boolean {
    return this.flaws.list.length === 0;
  }

  override flaw(code: FindingCode, offset: number): void {
    this.closes = code === 'aof/exec-without-multi';
    if (!this.closes) super.flaw(code, offset);
  }

  override command(command: CommandSpans, role: CommandRole): void {
    if (this.closes) {
      this.closes = false;
      this.from = command.offset + command.length;
      this.forget();
    } else {
      super.command(command, role);
    }
  }
}

async function findRecord(reader: WaitingReader, from: number, end: number): Promise<number | null> {
  for (let size = SEARCH_BYTES; ; size *= 8) {
    const bytes = Buffer.alloc(Math.min(size, end - from));
    reader.enter(from, end);
    const count = await reader.read(bytes);
    const match = RECORD_START.exec(bytes.latin1Slice(0, count));
    if (match !== null) return from + match.index + 2;
    if (size >= SEARCH_MAX || bytes.length < size) return null;
  }
}
