import type { AofFileEntry, AofSet } from '../../aof/set.js';
import type { Finding } from '../../model/finding.js';
import type { CommandSpans } from '../../resp/command.js';
import type { ToolContext } from '../context.js';
import { type DangerKind, dangerOf } from './danger.js';
import { type LogOptions, readSet } from './list.js';
import type { CommandPlace, LogListener } from './listener.js';
import type { LogPassEnd } from './pass.js';

export interface Danger {
  readonly kind: DangerKind;
  /** Where the command, or the first of several, stands. */
  readonly file: AofFileEntry;
  readonly offset: number;
  readonly bytes: number;
  readonly number: number;
  /** Of the last annotation before it, in milliseconds; null: none yet. */
  readonly timeMs: number | null;
  readonly database: number;
  /** Number of the MULTI that opened the transaction it is in; null outside of any. */
  readonly transaction: number | null;
  /** Its first words, and how many there are in all. */
  readonly words: readonly Word[];
  readonly argc: number;
  /** Keys that it deletes, as far as they are there; of `deletes` all of them together, of others 0. */
  readonly keys: number;
  /** The commands of `deletes`, and the number of the last; 1 and its own for all others. */
  readonly commands: number;
  readonly lastNumber: number;
  /** The point just before: replay stops there, in front of the whole transaction. */
  readonly before: { readonly command: number; readonly file: string; readonly offset: number };
}

/** An argument of a command, shortened. */
export interface Word {
  /** Its first bytes, one character per byte. */
  readonly text: string;
  /** How many it has in all. */
  readonly bytes: number;
}

export interface DangerReport {
  readonly dangers: readonly Danger[];
  /** How many there are of each kind; the list holds the first of them. */
  readonly counts: ReadonlyMap<DangerKind, number>;
  /** Commands that run scripts or functions, whose effects are not looked into. */
  readonly scriptsRun: number;
  readonly end: LogPassEnd;
}

export interface DangerOptions extends Pick<LogOptions, 'cut' | 'conditions' | 'dialect'> {
  /** From how many keys on a deletion is listed, by one command or by several in a row. */
  readonly massKeys: number;
}

const LISTED_PER_KIND = 1000;
const WORDS_SHOWN = 6;
const WORD_BYTES = 64;

/**
 * Finds what takes much away or changes what scripts do, in one pass.
 *
 * @throws UsageError when the cut or the start names no place in the log, InputError when a file can't be read
 */
export async function findDangers(
  set: AofSet,
  options: DangerOptions,
  context: ToolContext,
): Promise<DangerReport> {
  const watch = new DangerWatch(options.massKeys);
  const end = await readSet(set, watch, options, context);
  const dangers = watch.finish().sort((a, b) => a.number - b.number);
  return { dangers, counts: watch.counts, scriptsRun: watch.scriptsRun, end };
}

/** Deletions close to each other. */
interface Run {
  readonly first: Danger;
  keys: number;
  commands: number;
  lastNumber: number;
}

class DangerWatch implements LogListener {
  readonly full = false;
  readonly counts = new Map<DangerKind, number>();
  scriptsRun = 0;
  private readonly dangers: Danger[] = [];
  private run: Run | null = null;
  /** Where the transaction at hand begins. */
  private multiOffset = 0;
  private multiNumber = 0;

  constructor(private readonly massKeys: number) {}

  fileStart(): void {}
  commandsStart(): void {}
  caughtUp(): void {}
  finding(_finding: Finding): void {}

  async drain(): Promise<void> {}

  command(command: CommandSpans, place: CommandPlace): void {
    const kind = dangerOf(command);
    if (kind === null) this.harmless(command, place);
    else if (kind === 'delete') this.delete(command, place);
    else this.add(kind, command, place);
  }

  private harmless(command: CommandSpans, place: CommandPlace): void {
    const start = command.starts[0]!;
    const first = command.bytes[start]! | LOWER;
    if (first === LETTER_M && command.is(0, 'MULTI')) this.multi(place);
    else if (first === LETTER_E && (command.is(0, 'EVAL') || command.is(0, 'EVALSHA'))) this.scriptsRun++;
    else if (first === LETTER_F && command.is(0, 'FCALL')) this.scriptsRun++;
  }

  /** Everything, the last run of deletions too. */
  finish(): Danger[] {
    this.endRun();
    return this.dangers;
  }

  private multi({ offset, number }: CommandPlace): void {
    this.multiOffset = offset;
    this.multiNumber = number;
  }

  /**
   * Deletions make a run as long as every second command from its first on deletes a key or more; what else stands
   * between them is never looked at.
   */
  private delete(command: CommandSpans, place: CommandPlace): void {
    const keys = command.argc - 1;
    const { run } = this;
    if (keys >= this.massKeys) {
      this.endRun();
      this.add('delete', command, place);
    } else if (run !== null && place.number - run.first.number < 2 * run.keys + RUN_SLACK) {
      run.keys += keys;
      run.commands++;
      run.lastNumber = place.number;
    } else {
      this.endRun();
      const first = this.describe('deletes', command, place);
      this.run = { first, keys, commands: 1, lastNumber: place.number };
    }
  }

  private endRun(): void {
    const { run } = this;
    this.run = null;
    if (run === null || run.keys < this.massKeys) return;
    const { first, keys, commands, lastNumber } = run;
    this.keep({ ...first, keys, commands, lastNumber });
  }

  private add(kind: DangerKind, command: CommandSpans, place: CommandPlace): void {
    const count = this.counts.get(kind) ?? 0;
    if (count < LISTED_PER_KIND) this.keep(this.describe(kind, command, place));
    else this.counts.set(kind, count + 1);
  }

  private keep(danger: Danger): void {
    const count = (this.counts.get(danger.kind) ?? 0) + 1;
    this.counts.set(danger.kind, count);
    if (count <= LISTED_PER_KIND) this.dangers.push(danger);
  }

  private describe(kind: DangerKind, command: CommandSpans, place: CommandPlace): Danger {
    const { file, offset, length, number, timeMs, database, transaction } = place;
    // A filter may have kept the MULTI from being told: then its number is all that is known.
    const isInside = transaction !== 0;
    const knowsMulti = isInside && this.multiNumber === transaction;
    return {
      kind,
      file,
      offset,
      bytes: length,
      number,
      timeMs: timeMs < 0 ? null : timeMs,
      database,
      transaction: isInside ? transaction : null,
      words: wordsOf(command),
      argc: command.argc,
      keys: kind === 'delete' ? command.argc - 1 : 0,
      commands: 1,
      lastNumber: number,
      before: {
        command: (isInside ? transaction : number) - 1,
        file: file.name,
        offset: knowsMulti ? this.multiOffset : offset,
      },
    };
  }
}

/** So many other commands may stand between the first deletions of a run. */
const RUN_SLACK = 8;

function wordsOf(command: CommandSpans): Word[] {
  const words: Word[] = [];
  for (let i = 0; i < command.held && i < WORDS_SHOWN; i++) {
    const [start, end] = [command.starts[i]!, command.ends[i]!];
    const text = command.bytes.latin1Slice(start, Math.min(end, start + WORD_BYTES));
    words.push({ text, bytes: end - start });
  }
  return words;
}

/** Makes a letter lower case. */
const LOWER = 0x20;
const [LETTER_E, LETTER_F, LETTER_M] = [101, 102, 109] as const;
