/** How far a tool is in one input. */
export interface Progress {
  /** What is being done, in a word: `checking`. Missing: something is read. */
  readonly phase?: string;
  /** What is being read, as messages name it. */
  readonly label: string;
  /** How far it is, and in all; null when that is unknown. */
  readonly done: number;
  readonly total: number | null;
  /** What `done` counts; missing: bytes. */
  readonly unit?: 'keys';
  /** What was gone through in this input so far, where that is known. */
  readonly items?: { readonly count: number; readonly what: 'keys' | 'commands' };
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
  /** Gives memory back that nothing refers to any more, where that can be asked for. */
  readonly reclaim?: () => void;
}
