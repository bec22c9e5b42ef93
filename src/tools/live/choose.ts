import { isReplyError, type ServerConnection } from '../../live/connection.js';

/** How a live server is read: a snapshot as replicas get it, payloads, or the commands of each type. */
export const VIAS = ['sync', 'dump', 'type'] as const;
export type Via = (typeof VIAS)[number];

/** A name that hardly anybody has. */
const PROBE = 'rekindle:probe';

const ABOUT_THE_KEY = /^NOPERM.*\bkeys?\b|^(MOVED|ASK|TRYAGAIN) /;

/** Why DUMP is refused, in the server's words; null when it is not. That a key may not be read is another matter. */
export async function dumpRefusal(connection: ServerConnection): Promise<string | null> {
  try {
    await connection.ask('DUMP', PROBE);
    return null;
  } catch (error) {
    if (!isReplyError(error)) throw error;
    return ABOUT_THE_KEY.test(error.message) ? null : error.message;
  }
}
