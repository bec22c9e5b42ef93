/** The command did what it does, if that was nothing. */
export const APPLIED = 0;
/** The command is known and was refused, as a server would with an error reply; it changed nothing. */
export const FAILED = 1;
/** No such command. */
export const UNKNOWN = 2;

export type Outcome = typeof APPLIED | typeof FAILED | typeof UNKNOWN;
