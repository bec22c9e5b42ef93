import { ScratchFile } from '../../bytes/scratch-file.js';
import type { Difference, DiffListener } from '../diff.js';

/** Keys of the second side, keys that only the first has, and what changed inside of values: told one after the other. */
export type Group = 0 | 1 | 2;

const HELD_BYTES = 1 << 20;
const READ_BYTES = 64 * 1024;

/**
 * Tells differences in the order of the keys of their side. What is found in one go is told at once; what takes several
 * is kept on disk, run after run, and told when it is complete.
 */
export class OrderedDifferences {
  private readonly kept: readonly Run[][] = [[], [], []];
  private readonly keeping = [false, false, false];
  private held: string[] = [];
  private heldBytes = 0;
  /** Bytes of all lines so far. */
  private told = 0;
  private scratch: ScratchFile | null = null;

  constructor(
    private readonly listener: DiffListener,
    private readonly temporaryDirectory: string,
  ) {}

  /** Differences of the group come in several runs, of which each is in order; this starts one. */
  async beginRun(group: Group): Promise<void> {
    await this.write();
    this.keeping[group] = true;
    this.kept[group]!.push({ start: -1, end: -1 });
  }

  /** Whether the group comes in runs. */
  keeps(group: Group): boolean {
    return this.keeping[group]!;
  }

  tell(group: Group, ordinal: number, difference: Difference): void {
    if (!this.keeping[group]) {
      this.listener.difference(difference);
      return;
    }
    const line = `${ordinal} ${JSON.stringify(difference)}\n`;
    this.held.push(line);
    this.heldBytes += line.length;
    const run = this.kept[group]!.at(-1)!;
    if (run.start < 0) run.start = this.told;
    this.told += Buffer.byteLength(line);
    run.end = this.told;
  }

  get full(): boolean {
    return this.heldBytes > HELD_BYTES || this.listener.full;
  }

  async drain(): Promise<void> {
    if (this.heldBytes > HELD_BYTES) await this.write();
    if (this.listener.full) await this.listener.drain();
  }

  private async write(): Promise<void> {
    const text = this.held.join('');
    this.held = [];
    this.heldBytes = 0;
    if (text === '') return;
    this.scratch ??= await ScratchFile.create(this.temporaryDirectory);
    await this.scratch.write(Buffer.from(text));
  }

  /** Tells what was kept of a group. */
  async release(group: Group): Promise<void> {
    await this.write();
    const { listener, scratch } = this;
    if (scratch === null) return;
    const readers = this.kept[group]!.map((run) => new RunReader(scratch, run));
    for (const reader of readers) await reader.next();
    for (;;) {
      let first: RunReader | null = null;
      for (const reader of readers) {
        if (reader.line !== null && (first === null || reader.ordinal < first.ordinal)) first = reader;
      }
      if (first === null) return;
      listener.difference(first.difference());
      await first.next();
      if (listener.full) await listener.drain();
    }
  }

  async close(): Promise<void> {
    await this.scratch?.close();
  }
}

/** Where the lines of one run stand. */
interface Run {
  start: number;
  end: number;
}

class RunReader {
  /** The line at hand; null behind the last. */
  line: string | null = null;
  ordinal = 0;
  private lines: string[] = [];
  private at = 0;
  private rest = Buffer.alloc(0);
  private position: number;

  constructor(
    private readonly scratch: ScratchFile,
    private readonly run: Run,
  ) {
    this.position = run.start;
  }

  async next(): Promise<void> {
    while (this.at === this.lines.length && this.position < this.run.end) await this.read();
    this.line = this.lines[this.at++] ?? null;
    if (this.line !== null) this.ordinal = Number.parseInt(this.line, 10);
  }

  private async read(): Promise<void> {
    const chunk = Buffer.alloc(Math.min(READ_BYTES, this.run.end - this.position));
    await this.scratch.read(this.position, chunk);
    this.position += chunk.length;
    const bytes = Buffer.concat([this.rest, chunk]);
    const end = bytes.lastIndexOf(10) + 1;
    this.lines = bytes.subarray(0, end).toString().split('\n').slice(0, -1);
    this.rest = bytes.subarray(end);
    this.at = 0;
  }

  difference(): Difference {
    return JSON.parse(this.line!.slice(this.line!.indexOf(' ') + 1)) as Difference;
  }
}
