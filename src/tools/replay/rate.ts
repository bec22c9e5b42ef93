/** At most so much a second; null: as much as goes. */
export interface RateLimit {
  readonly bytesPerSecond: number | null;
  readonly keysPerSecond: number | null;
}

/** What may go at once, in seconds of the rate: small, so that a target feels a stream and no bursts. */
const BURST_SECONDS = 0.1;
/** A wait is at least this long: timers are not exact. */
const WAIT_MIN_MS = 5;

/** Says when to wait so that what goes stays within a rate. */
export class Pacer {
  // The clock that never jumps: a rate has nothing to do with the time of day.
  private readonly startedMs = performance.now();

  constructor(private readonly limit: RateLimit) {}

  /** Milliseconds to wait before anything more goes, after so many bytes and keys; 0: none. */
  waitMs(bytes: number, keys: number): number {
    const { bytesPerSecond, keysPerSecond } = this.limit;
    const due = Math.max(
      bytesPerSecond === null ? 0 : bytes / bytesPerSecond,
      keysPerSecond === null ? 0 : keys / keysPerSecond,
    );
    const elapsed = (performance.now() - this.startedMs) / 1000;
    const early = due - elapsed - BURST_SECONDS;
    return early <= 0 ? 0 : Math.max(WAIT_MIN_MS, early * 1000);
  }

  /** True when a limit holds at all. */
  get limits(): boolean {
    return this.limit.bytesPerSecond !== null || this.limit.keysPerSecond !== null;
  }
}
