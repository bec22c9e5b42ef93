/**
 * `fatal`: the server does not start, or ends. `error`: something was not done. `warning`: it goes on, and something
 * may be missing. `info`: nothing is wrong.
 */
export type MessageSeverity = 'fatal' | 'error' | 'warning' | 'info';

/** Whether data is in danger: it is not; it may be if the wrong thing is done now; some of it is gone already. */
export type DataRisk = 'none' | 'at-risk' | 'lost';

/** One wording of a message, and the products and versions whose source has it. */
export interface Saying {
  readonly by: string;
  /** The server's format string: `{#offset}` a whole number, `{file}` any text. */
  readonly text: string;
}

/** Something to do about it. */
export interface Remedy {
  readonly why: string;
  /**
   * A command line. Names in braces stand for places and for what was found in the line: `{dir}` the data directory,
   * `{rdb}` the RDB, `{log}` the log or the directory, `{out}` a new name.
   */
  readonly command: string;
}

/** A message of a server, and what is known about it. Text may hold names in braces, as remedies do. */
export interface ServerMessage {
  readonly id: string;
  readonly severity: MessageSeverity;
  readonly says: readonly Saying[];
  readonly means: string;
  readonly risk: DataRisk;
  /** One sentence about the data. */
  readonly data: string;
  /** What not to do. */
  readonly never: readonly string[];
  readonly remedies: readonly Remedy[];
  /**
   * `general`: stands around a message that says more (`Internal error in RDB reading …`). `context`: tells something
   * of use to others (a line number, the version). `start`: a server begins its run here. `up`: it has loaded its data.
   */
  readonly role?: 'general' | 'context' | 'start' | 'up';
}

/** Wordings that the same servers have. */
export function by(servers: string, ...texts: readonly string[]): Saying[] {
  return texts.map((text) => ({ by: servers, text }));
}
