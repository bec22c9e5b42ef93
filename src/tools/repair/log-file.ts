import { type AofFileHandler, AofFileMachine } from '../../aof/file.js';
import type { AofFileEntry } from '../../aof/set.js';
import { type CommandRole, MULTI, QUEUED } from '../../aof/transaction.js';
import { pumpSource } from '../../bytes/pump.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { FormatError } from '../../errors.js';
import type { Finding, FindingCode } from '../../model/finding.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import { RdbSink } from '../../rdb/handler.js';
import type { CommandSpans } from '../../resp/command.js';
import { SKIM } from '../../resp/scanner.js';
import type { ToolContext } from '../context.js';
import { findingOf } from '../report.js';

/** A range of a log that has to go, and the whole commands that go with it; null: nobody can tell. */
export interface LostRange {
  readonly from: number;
  readonly to: number;
  readonly commands: number | null;
  readonly because: Finding;
}

/** What is wrong with one file of a log. */
export interface LogFileSurvey {
  readonly entry: AofFileEntry;
  readonly bytes: number;
  /** Whole commands in the file. */
  readonly commands: number | null;
  /** The end that goes when the log is cut in front of its first damage. */
  readonly truncate: LostRange | null;
  /** What goes when all else is kept. */
  readonly skip: readonly LostRange[];
  /** The damage of the RDB in front of the commands. */
  readonly preamble: Finding | null;
  /** An annotation without its line end, at the end. */
  readonly tornAnnotation: LostRange | null;
}

/** Reads one file of a log past its damage. @throws InputError when it cannot be read */
export async function surveyLogFile(entry: AofFileEntry, context: ToolContext): Promise<LogFileSurvey> {
  const { source, path } = entry;
  const bytes = entry.size ?? 0;
  const survey = new Survey();
  const machine = new AofFileMachine(survey, () => new RdbDecoder(new RdbSink(), RDB_OPTIONS), SKIM);
  let because: Finding | null = null;
  try {
    const { signal } = context;
    const progress = (done: number) => context.progress({ label: path, done, total: bytes });
    await pumpSource(source, machine, { signal, progress });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    because = findingOf(error, path);
  }
  const isPreamble = because?.code.startsWith('rdb/') === true;
  const cut = because === null ? bytes : survey.boundary;
  const range = (from: number, finding: Finding): LostRange => ({
    from,
    to: bytes,
    commands: null,
    because: finding,
  });
  const lost = because === null || isPreamble ? null : range(cut, because);
  const { tornAt } = survey;
  return {
    entry,
    bytes,
    commands: because === null ? survey.commands : null,
    truncate: lost,
    skip: lost === null ? [] : [lost],
    preamble: isPreamble ? because : null,
    tornAnnotation:
      tornAt < 0
        ? null
        : {
            from: tornAt,
            to: bytes,
            commands: 0,
            because: {
              code: 'aof/torn-annotation',
              where: { file: path, offset: tornAt, trail: [] },
              detail: {},
            },
          },
  };
}

const RDB_OPTIONS = { verifyChecksum: true, deep: true } as const;

/** Remembers where the log was whole last. */
class Survey implements AofFileHandler {
  readonly full = false;
  readonly stopped = false;
  commands = 0;
  /** End of the last record outside any transaction. */
  boundary = 0;
  tornAt = -1;
  private inside = false;

  commandsStart(offset: number): void {
    this.boundary = offset;
  }

  command(command: CommandSpans, role: CommandRole): void {
    this.commands++;
    this.inside = role === MULTI || role === QUEUED;
    if (!this.inside) this.boundary = command.offset + command.length;
  }

  annotation(line: ByteSlice, offset: number): void {
    if (!this.inside) this.boundary = offset + line.length;
  }

  flaw(code: FindingCode, offset: number): void {
    if (code === 'aof/torn-annotation') this.tornAt = offset;
  }
}
