/** A status such as OK. */
export class Status {
  constructor(readonly text: string) {}
}

/** An error reply, its code first. */
export class Failure {
  constructor(readonly text: string) {}
}

/**
 * What a server replies: an integer, a bulk string (one character per byte), nil, a status, an error or several of
 * them. Integers are as Lua gets them: beyond 2^53 the nearest double.
 */
export type Reply = number | string | null | Status | Failure | readonly Reply[];

export const OK = new Status('OK');
