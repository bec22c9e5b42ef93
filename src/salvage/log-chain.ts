import type { ByteSlice } from '../bytes/slice.js';
import { END, PAUSE } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import type { LogScan } from '../kernels/log-scan.js';
import type { FindingCode } from '../model/finding.js';
import type { CommandSpans } from '../resp/command.js';
import {
  badLineEnd,
  badPrefix,
  CR,
  DOLLAR,
  follows,
  LF,
  LINE_MAX,
  NumberLine,
  SHORT,
  tornTail,
} from '../resp/grammar.js';
import type { RespHandler } from '../resp/handler.js';
import { LogPasser, type PassingHandler } from '../resp/passer.js';
import { RespScanner, WHOLE } from '../resp/scanner.js';
import { Approach, type LogMeeting } from './log-meeting.js';
import { flawOf, hasStrangeName, unknownCommand } from './log-names.js';
import type { LogProbe } from './log-probe.js';

/** Whole records side by side, `[start, end)`, and what ended them. */
export interface RecordChain {
  readonly start: number;
  readonly end: number;
  /** Commands and annotations. */
  readonly records: number;
  readonly commands: number;
  /** Where the last of them starts, and whether its framing is loose. */
  readonly lastStart: number;
  readonly lastLoose: boolean;
  /** The last of the offsets asked for at which a record ends, -1 without any, and the commands up to there. */
  readonly met: number;
  readonly metCommands: number;
  /** Null when the input ends with the last record. */
  readonly error: FormatError | null;
}

/** Follows whole records from `start` to the first that is none, or that ends at `until`. `watched`: ascending. */
export async function followChain(
  probe: LogProbe,
  start: number,
  watched: readonly number[],
  until: number = Number.POSITIVE_INFINITY,
): Promise<RecordChain> {
  // Who reads the rest says nothing of places in it.
  const meeting = Number.isFinite(until) ? null : probe.meeting;
  const count = new ChainCount(watched, start, until, meeting);
  const error = await new ChainWalk(probe, count).run(start);
  const { records, commands, lastStart, met, metCommands } = count;
  const end = count.reachesEnd ? probe.window.limit : count.end;
  const lastLoose = count.looseAt >= lastStart;
  return { start, end, records, commands, lastStart, lastLoose, met, metCommands, error };
}

class ChainCount implements RespHandler, PassingHandler {
  /** Names alone. */
  readonly looks = 0;
  full = false;
  stopped = false;
  /** A record that is none for all its framing. */
  error: FormatError | null = null;
  records = 0;
  commands = 0;
  lastStart: number;
  looseAt = -1;
  met = -1;
  metCommands = 0;
  /** Where it came, records begin that another has followed to the end of the input. */
  reachesEnd = false;
  private next = 0;
  private nextWatched: number;
  private readonly approach: Approach | null;

  constructor(
    private readonly watched: readonly number[],
    public end: number,
    private readonly until: number,
    private readonly meeting: LogMeeting | null,
  ) {
    this.approach = meeting && new Approach(meeting, end);
    this.lastStart = end;
    this.nextWatched = watched[0] ?? Number.POSITIVE_INFINITY;
  }

  command(command: CommandSpans): void {
    if (flawOf(command) === 'aof/unknown-command' && hasStrangeName(command)) {
      this.error = unknownCommand(command);
      this.looseAt = -1;
      this.full = this.stopped = true;
      return;
    }
    this.commands++;
    this.pass(command.offset, command.length);
  }

  get passUpTo(): number {
    return Math.min(this.nextWatched, this.until, this.approach?.limit ?? Number.POSITIVE_INFINITY);
  }

  passed({ commands, lastCommand }: LogScan, end: number, base: number): void {
    this.commands += commands;
    this.records += commands - 1;
    const start = base + lastCommand;
    this.pass(start, end - start);
  }

  annotation(line: ByteSlice, offset: number): void {
    this.pass(offset, line.length);
  }

  flaw(_code: FindingCode, offset: number): void {
    if (offset > this.looseAt) this.looseAt = offset;
  }

  pass(offset: number, length: number): void {
    this.records++;
    this.lastStart = offset;
    this.end = offset + length;
    if (this.end >= this.nextWatched) this.watch();
    if (this.end >= this.until) this.full = this.stopped = true;
    const { approach } = this;
    if (approach === null || this.end < approach.limit) return;
    this.meet(approach.reach(this.end));
    if (approach.waits) this.full = true;
  }

  /** Waits for who reads the rest. */
  async join(): Promise<void> {
    this.full = false;
    this.meet(await this.approach!.join());
  }

  private meet(here: boolean): void {
    // Whether records end at places behind it is not known.
    if (!here || this.nextWatched !== Number.POSITIVE_INFINITY) return;
    const { restCommands } = this.meeting!;
    this.commands += restCommands;
    this.records += restCommands;
    this.reachesEnd = this.full = this.stopped = true;
  }

  private watch(): void {
    const { watched, end } = this;
    while (this.nextWatched <= end) {
      if (this.nextWatched === end) {
        this.met = end;
        this.metCommands = this.commands;
      }
      this.nextWatched = watched[++this.next] ?? Number.POSITIVE_INFINITY;
    }
  }
}

/** The scanner over a probe. A record that outgrows the probe is walked by its lengths alone, without reading it. */
class ChainWalk {
  private readonly scanner: RespScanner;
  private readonly line = new NumberLine();

  constructor(
    private readonly probe: LogProbe,
    private readonly count: ChainCount,
  ) {
    const { scan } = probe;
    const passer = scan && new LogPasser(scan, count, { open: false, offset: 0, queued: 0 });
    this.scanner = new RespScanner(count, WHOLE, passer);
  }

  async run(start: number): Promise<FormatError | null> {
    const { probe, count } = this;
    const { window } = probe;
    try {
      await probe.load(start, 1);
      for (;;) {
        const step = this.scanner.run(window);
        if (step === END) return count.error;
        if (step === PAUSE) {
          await count.join();
          continue;
        }
        const { need, offset } = window;
        if (need > probe.most) {
          const length = (await this.walkLarge(offset)) - offset;
          count.commands++;
          count.pass(offset, length);
          await probe.load(offset + length, 1);
        } else if ((await probe.load(offset, need)) < need) {
          this.scanner.finish(window);
          return count.error;
        }
      }
    } catch (error) {
      if (error instanceof FormatError) return error;
      throw error;
    }
  }

  /** The offset behind the record, by the scanner's rules. @throws FormatError when it is none */
  private async walkLarge(start: number): Promise<number> {
    const { window } = this.probe;
    let at = await this.number(start, start);
    const argc = this.line.value;
    for (let i = 0; i < argc; i++) {
      await this.bring(start, at, 1);
      if (window.bytes[window.position] !== DOLLAR) throw badPrefix(window.bytes, window.position, '$', at);
      at = await this.number(start, at);
      at = await this.lineEnd(start, at + this.line.value, i === argc - 1);
    }
    return at;
  }

  private async number(start: number, offset: number): Promise<number> {
    const { probe, line } = this;
    await probe.load(offset, LINE_MAX);
    const { window } = probe;
    const next = line.read(window.bytes, window.position, window.end, offset);
    if (next === SHORT) throw tornTail(window, start, window.end - window.position + 1);
    return window.base + next;
  }

  private async lineEnd(start: number, stop: number, last: boolean): Promise<number> {
    const { probe } = this;
    await this.bring(start, stop, 2);
    const here = await probe.load(stop, 3);
    const { bytes, position } = probe.window;
    if (bytes[position] !== CR || bytes[position + 1] !== LF) {
      if (here < 3 ? !last : !follows(bytes[position + 2]!, last)) throw badLineEnd(bytes, position, stop);
    }
    return stop + 2;
  }

  private async bring(start: number, offset: number, count: number): Promise<void> {
    const { probe } = this;
    const { window } = probe;
    // A length beyond a known end is answered without looking there.
    if (offset + count <= window.limit && (await probe.load(offset, count)) === count) return;
    throw tornTail(window, start, offset + count - window.offset);
  }
}
