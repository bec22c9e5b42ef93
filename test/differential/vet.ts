import { type Command, type Connection, type Reply, ReplyError } from './connection.js';

/**
 * How servers refuse what they cannot read. Releases before 7.0 do not know options that the engine takes from all of
 * them; no log of theirs has a command that they refused.
 */
const UNREADABLE =
  /syntax error|wrong number|unknown|unsupported|not supported|invalid stream id|timeout|not a valid|must be|should be|at least|can't be|without|invalid/i;

/**
 * Commands of a log without those whose words a server refuses, whatever it holds. What it refuses for what it holds (a
 * value of another type, a group that is missing) stays.
 */
export async function vetted(client: Connection, commands: readonly Command[]): Promise<readonly Command[]> {
  const left = commands.filter((command) => !/^(multi|exec)$/i.test(String(command[0])));
  // Inside a transaction nothing waits.
  const replies = await client.batch([['FLUSHALL'], ['SELECT', '0'], ['MULTI'], ...left, ['EXEC']]);
  const unread = new Set<Command>();
  left.forEach((command, i) => {
    if (replies[i + 3] instanceof ReplyError) unread.add(command);
  });
  const queued = left.filter((command) => !unread.has(command));
  const done = replies.at(-1)!;
  if (!Array.isArray(done))
    return vetted(
      client,
      commands.filter((command) => !unread.has(command)),
    );
  queued.forEach((command, i) => {
    const reply = (done as Reply[])[i]!;
    const isUnread = reply instanceof ReplyError && UNREADABLE.test(reply.message);
    if (isUnread || isUnchecked(command, reply)) unread.add(command);
  });
  return commands.filter((command) => !unread.has(command));
}

/**
 * 4.0 does not look whether HINCRBYFLOAT comes to infinity, and stores it; what it logs is an HSET. 5.0 looks when it has
 * made the hash, which it leaves empty, and logs nothing.
 */
function isUnchecked(command: Command, reply: Reply): boolean {
  const text = reply instanceof ReplyError ? reply.message : String(reply);
  const comesToInfinity =
    reply instanceof ReplyError ? /would produce NaN or Infinity/.test(text) : /inf|nan/.test(text);
  return /^hincrbyfloat$/i.test(String(command[0])) && comesToInfinity;
}
