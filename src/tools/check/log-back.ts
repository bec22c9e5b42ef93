import { AofFileMachine } from '../../aof/file.js';
import type { CommandRole, TransactionTracker } from '../../aof/transaction.js';
import { pump } from '../../bytes/pump.js';
import type { FileSource, WaitingReader } from '../../bytes/source.js';
import { ByteWindow, type Machine } from '../../bytes/window.js';
import { FormatError } from '../../errors.js';
import type { LogScan } from '../../kernels/log-scan.js';
import type { FindingCode } from '../../model/finding.js';
import type { CommandSpans } from '../../resp/command.js';
import { createLogScan, LogPasser } from '../../resp/passer.js';
import { SKIM } from '../../resp/scanner.js';
import { FileShare } from '../file-share.js';
import type { BackOfLog, LogBackTask } from '../thread.js';
import { FindingList } from './findings.js';
import { LogCheck, type LogCounts } from './log.js';

/** Bytes behind the start of a piece that are searched for the start of a record, at first and at last. */
const SEARCH_BYTES = 16 * 1024;
const SEARCH_MAX = 1024 * 1024;
const RECORD_START = /\r\n\*[1-9]\d{0,5}\r\n\$\d{1,9}\r\n/;
/** What is read fits into the cache of a core with what is read ahead. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Reads a log from its end backwards: each piece from a place where a record seems to start up to where the piece behind it
 * began. Ends when no piece is left, or at one that is not in order from there: the answer is where the last good one
 * began. Whether a record really starts there, outside any transaction, only who comes from the front can tell.
 *
 * @param readPiece tells where the records begin that are in order up to `end`, at `from` or behind; null: not even the last is
 */
export async function eachPieceFromBack(
  source: FileSource,
  task: BackOfLog,
  readPiece: (reader: WaitingReader, from: number, end: number) => Promise<number | null>,
): Promise<number> {
  const share = new FileShare(task.start, task.end, task.pieceBytes, task.claimed);
  const reader = await source.openWaiting();
  let offset = task.end;
  try {
    for (let piece = share.pieces - 1; piece >= 0 && share.claim(); piece--) {
      const from = await findRecord(reader, share.endOf(piece), offset);
      // One value may be longer than a piece.
      if (from === null) continue;
      const start = await readPiece(reader, from, offset);
      // A transaction that is longer than a piece would be read again with every piece.
      if (start === null || start === offset) break;
      offset = start;
    }
  } finally {
    await reader.close();
  }
  return offset;
}

/** Has the machine read the bytes from one offset to another. */
export async function pumpPiece(
  reader: WaitingReader,
  from: number,
  end: number,
  machine: Machine,
  scan: LogScan | null,
): Promise<void> {
  const window = new ByteWindow();
  window.base = from;
  window.limit = end;
  reader.enter(from, end);
  await pump(reader, window, machine, { chunkBytes: CHUNK_BYTES, rooms: scan?.rooms });
}

/** Checks a log from its end backwards. */
export async function checkLogBack(
  source: FileSource,
  task: LogBackTask,
): Promise<LogCounts & { readonly offset: number }> {
  const scan = createLogScan();
  const total = new LogCheck(new FindingList(source.label), task.quick);
  const offset = await eachPieceFromBack(source, task, async (reader, from, end) => {
    const check = new PieceCheck(from, new FindingList(source.label), task.quick);
    if (!(await checkPiece(reader, check, end, scan))) return null;
    if (check.from !== end) total.adoptEarlier(check);
    return check.from;
  });
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
  const passer = scan === null ? null : (of: TransactionTracker) => new LogPasser(scan, check, of);
  try {
    await pumpPiece(reader, check.from, end, new AofFileMachine(check, null, SKIM, passer), scan);
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
