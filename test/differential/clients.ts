import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../support/random.js';
import { type Command, Connection, type Reply, ReplyError } from './connection.js';
import { Judge } from './judge.js';

/** What a server logged of what its clients sent. */
export interface Served {
  readonly log: Buffer;
  /** What it holds at the end. */
  readonly digest: string;
  /** Commands that it refused its clients. */
  readonly refused: number;
}

/** A server that logs, with a client that sends a workload, another that waits for elements, and one that wakes both. */
export class Clients {
  private constructor(
    private readonly live: Judge,
    private blocked: Connection,
    private readonly control: Connection,
  ) {}

  static async start(): Promise<Clients> {
    const live = await Judge.start({ logging: true, settings: { hz: '500' } });
    if (live.hasManifest) await live.client.call('CONFIG', 'SET', 'aof-timestamp-enabled', 'yes');
    return new Clients(live, await Connection.open(live.socket), await Connection.open(live.socket));
  }

  async stop(): Promise<void> {
    this.blocked.close();
    this.control.close();
    await this.live.stop();
  }

  /** Runs commands as clients would. */
  async serve(commands: readonly Command[], random: Random): Promise<Served> {
    const { live, control } = this;
    const { client } = live;
    const own = await idOf(client);
    await client.batch([
      // Before 7.0 scripts are logged, and each but once until this.
      live.hasManifest ? ['FUNCTION', 'FLUSH'] : ['SCRIPT', 'FLUSH'],
      ['SELECT', '9'],
      ['SET', 'marker', '1'],
    ]);
    const start = logFile(live).size;
    await client.batch([['DEBUG', 'SET-ACTIVE-EXPIRE', '1'], ['SELECT', '0'], ['FLUSHALL']]);
    let refused = 0;
    for (let at = 0; at < commands.length; ) {
      const count = random.pick([1, 7, 40]);
      const waiting = random.once(3) ? await this.wait(random) : null;
      const replies = await unblocked(client, commands.slice(at, at + count), control, own);
      for (const reply of replies) if (reply instanceof ReplyError) refused++;
      at += count;
      await waiting?.end();
      if (random.once(12)) await sleep(8);
    }
    await client.batch([['DISCARD'], ['DEBUG', 'SET-ACTIVE-EXPIRE', '0']]);
    const digest = await live.digest();
    return { log: readFileSync(logFile(live).path).subarray(start), digest, refused };
  }

  /** Has a client wait for elements, and gives the way to end that. */
  private async wait(random: Random): Promise<{ end(): Promise<void> }> {
    if (this.blocked.isGone) this.blocked = await Connection.open(this.live.socket);
    const { blocked, control } = this;
    const id = await idOf(blocked);
    if (id !== null) {
      const waiting = blocked.batch([['SELECT', String(random.below(3))], blocking(random)]);
      const end = async (): Promise<void> => {
        while (blocked.pending > 0) await control.call('CLIENT', 'UNBLOCK', id);
        await waiting;
      };
      return { end };
    }
    // Before Redis 5 a client that waits can be woken by nothing but its end.
    const name = `waits${random.below(1e9)}`;
    await blocked.call('CLIENT', 'SETNAME', name);
    const waiting = blocked.batch([['SELECT', String(random.below(3))], blocking(random)]).catch(() => []);
    const end = async (): Promise<void> => {
      await Promise.race([waiting, sleep(2)]);
      if (blocked.pending > 0) await control.call('CLIENT', 'KILL', 'ID', await idNamed(control, name));
      await waiting;
    };
    return { end };
  }
}

/** What wakes a client by; null where a server has no such. */
function idOf(client: Connection): Promise<string | null> {
  return client.text('CLIENT', 'ID').catch(() => null);
}

async function idNamed(control: Connection, name: string): Promise<string> {
  const clients = await control.text('CLIENT', 'LIST');
  return new RegExp(`^id=(\\d+) .*name=${name} `, 'm').exec(clients)![1]!;
}

/** The replies to a batch in which a timeout may have been changed to none. */
async function unblocked(
  client: Connection,
  batch: readonly Command[],
  control: Connection,
  id: string | null,
): Promise<readonly Reply[]> {
  const replies = client.batch(batch);
  for (;;) {
    const done = await Promise.race([replies.then(() => true), sleep(250, false)]);
    if (done) return replies;
    if (id === null) continue;
    // Valkey 9.1 leaves what it has read of a long batch, now and then, until more comes.
    if ((await control.call('CLIENT', 'UNBLOCK', id)) === 0) void client.batch([['PING']]).catch(() => {});
  }
}

function blocking(random: Random): Command {
  const n = (): string => String(random.below(3));
  return random.pick<Command>([
    ['BLPOP', `l${n()}`, `l${n()}`, '0'],
    ['BRPOP', `l${n()}`, '0'],
    ['BLMOVE', `l${n()}`, `l${n()}`, 'LEFT', 'RIGHT', '0'],
    ['BRPOPLPUSH', `l${n()}`, `l${n()}`, '0'],
    ['BLMPOP', '0', '2', `l${n()}`, `l${n()}`, 'LEFT', 'COUNT', '2'],
    ['BZPOPMIN', `z${n()}`, `z${n()}`, '0'],
    ['BZMPOP', '0', '1', `z${n()}`, 'MAX', 'COUNT', '3'],
    ['XREADGROUP', 'GROUP', 'g0', 'alice', 'BLOCK', '0', 'STREAMS', `x${n()}`, '>'],
  ]);
}

function logFile(live: Judge): { path: string; size: number } {
  const home = live.hasManifest ? join(live.directory, 'appendonlydir') : live.directory;
  const name = live.hasManifest
    ? readdirSync(home).find((each) => each.endsWith('.incr.aof'))!
    : 'appendonly.aof';
  const path = join(home, name);
  return { path, size: statSync(path).size };
}
