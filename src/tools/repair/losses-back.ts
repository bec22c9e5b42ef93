import type { FileSource } from '../../bytes/source.js';
import type { CommandSpans } from '../../resp/command.js';
import { createLogScan } from '../../resp/passer.js';
import { RecordTeller } from '../../salvage/log-teller.js';
import { eachPieceFromBack, pumpPiece } from '../check/log-back.js';
import type { LossesBackTask } from '../thread.js';
import { LogLosses, type OrderlyRest } from './log-losses.js';

/**
 * Reads a log from its end backwards as a salvager would: from `offset` on, if a record starts there outside any transaction,
 * nothing in it is wrong.
 */
export async function surveyLogBack(
  source: FileSource,
  task: LossesBackTask,
): Promise<OrderlyRest & { readonly offset: number }> {
  const scan = createLogScan();
  let commands = 0;
  let guessedDatabase = 0;
  const offset = await eachPieceFromBack(source, task, async (reader, from, end) => {
    const piece = new PieceLosses(source.label, from, end);
    const teller = new RecordTeller(piece, from, end, scan);
    await pumpPiece(reader, from, end, teller, scan);
    if (teller.error !== null || !piece.isOrderly) return null;
    guessedDatabase = piece.guessedDatabase + (piece.selects ? 0 : guessedDatabase);
    commands += piece.commands;
    return piece.from;
  });
  return { offset, commands, guessedDatabase };
}

/** Surveys a piece. It may begin inside a transaction: then what is before the EXEC is left to who comes from the front. */
class PieceLosses extends LogLosses {
  private flawed = false;

  constructor(
    file: string,
    public from: number,
    end: number,
  ) {
    super(file, from, end, false);
    this.databaseUnknown = true;
  }

  get selects(): boolean {
    return !this.databaseUnknown;
  }

  get isOrderly(): boolean {
    return !this.flawed && this.skipped.length === 0 && this.because === null && !this.transaction.open;
  }

  override command(command: CommandSpans): void {
    if (this.transaction.open || !command.is(0, 'EXEC')) {
      super.command(command);
      return;
    }
    this.from = command.offset + command.length;
    this.commands = this.guessedDatabase = 0;
    this.databaseUnknown = true;
  }

  override flaw(): void {
    this.flawed = true;
  }
}
