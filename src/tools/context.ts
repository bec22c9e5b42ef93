/** How far a tool is in one input. */
export interface Progress {
  /** What is being read, as messages name it. */
  readonly label: string;
  /** Bytes done, and in all; null when that is unknown. */
  readonly done: number;
  readonly total: number | null;
}

/** What a tool needs from its surroundings. Tools never print, never exit and never read the environment. */
export interface ToolContext {
  /** The clock by which keys expire and ages are told, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** The running clock, for how long something took. */
  readonly clock: () => number;
  readonly signal: AbortSignal;
  /** Called about once a chunk. */
  readonly progress: (progress: Progress) => void;
  /** Bytes the process may hold while it rebuilds a dataset. */
  readonly memoryBytes: number;
  /** Bytes the process holds now. */
  readonly heldBytes: () => number;
}
