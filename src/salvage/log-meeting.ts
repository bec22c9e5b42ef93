/**
 * Somebody who reads the same log from its end backwards, until both meet. What it has read is in order from `metAt` to the
 * end of the log if a record starts there, outside any transaction: only who comes from the front can tell.
 */
export interface LogMeeting {
  /** Records that end in front of this absolute offset are ours to read. */
  readonly upTo: number;
  /** Infinity: there is no such place; -1 before `join`. */
  readonly metAt: number;
  /** Commands from there on. */
  readonly restCommands: number;
  /** Moves `upTo` behind `end`; false when the other has begun with what follows. */
  takeMore(end: number): boolean;
  /** Waits until the other comes no further. */
  join(): Promise<void>;
  /** Counts what the other has read; false where a transaction is open: then it must be read here. */
  takeOver(): boolean;
}

/** One pass over records towards the meeting. */
export class Approach {
  /** The first record that ends here or behind is told to `reach`. */
  limit: number;
  /** True while the pass must not go on, but `join`. */
  waits = false;
  private at = 0;

  constructor(
    private readonly meeting: LogMeeting,
    start: number,
  ) {
    this.limit = meeting.metAt < 0 ? meeting.upTo : this.ahead(start);
  }

  /** A record ends at `end`. True when the rest begins right there. */
  reach(end: number): boolean {
    const { meeting } = this;
    if (meeting.metAt < 0) {
      this.waits = !meeting.takeMore(end);
      this.at = end;
      this.limit = this.waits ? end : meeting.upTo;
      return false;
    }
    this.limit = this.ahead(end);
    return end === meeting.metAt;
  }

  /** Waits for the other, then as `reach`. */
  async join(): Promise<boolean> {
    await this.meeting.join();
    this.waits = false;
    return this.reach(this.at);
  }

  private ahead(offset: number): number {
    const { metAt } = this.meeting;
    return offset < metAt ? metAt : Number.POSITIVE_INFINITY;
  }
}
