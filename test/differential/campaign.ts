import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openAofSet } from '../../src/aof/set.js';
import { releaseOf } from '../../src/tools/family.js';
import { Random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary.js';
import { Clients } from './clients.js';
import { replayedByCommand } from './command-line.js';
import { type Command, encode } from './connection.js';
import type { Supplies } from './draw.js';
import { Judge } from './judge.js';
import {
  compare,
  heldBy,
  judged,
  otherwiseReplayed,
  replayed,
  type State,
  stateOf,
  withoutExpired,
  withoutSent,
  written,
} from './round.js';
import { shrink } from './shrink.js';
import { commandsOf, suppliesOf } from './supplies.js';
import { vetted } from './vet.js';
import { type Known, mayBeLoaded, Workload } from './workload.js';

export interface Tally {
  rounds: number;
  commands: number;
  /** States compared: points of logs, our files in the server, its files in us. */
  comparisons: number;
  /** What `replay` wrote and the server loaded. */
  commandLines: number;
  /** Rewrites of the server that we read. */
  rewrites: number;
  /** Rounds after which the server's own load of its log is not what it held. */
  unlikeItself: number;
  /** Commands that clients were refused, and that were refused in logs. */
  refused: number;
}

/** Differences that were found, shrunk and written down. */
export interface Failure {
  readonly seed: number;
  readonly told: string;
}

const noTally = (): Tally => ({
  rounds: 0,
  commands: 0,
  comparisons: 0,
  commandLines: 0,
  rewrites: 0,
  unlikeItself: 0,
  refused: 0,
});

/** Random logs and clients beside one server, until a difference. */
export class Campaign {
  /** What was done so far, logs and clients apart. */
  readonly tallies = { logs: noTally(), clients: noTally() };
  private tally = this.tallies.logs;
  /** Where the command line writes. */
  private readonly home = join(temporaryDirectory('written'), 'out');
  private clients: Clients | null = null;
  private supplies: Omit<Supplies, 'nowMs'> = { payloads: [], libraries: [], bounded: false };

  private constructor(
    private judge: Judge,
    readonly known: ReadonlyMap<string, Known>,
  ) {}

  static async start(): Promise<Campaign> {
    const judge = await Judge.start({ logging: false });
    const campaign = new Campaign(judge, await commandsOf(judge.client));
    campaign.supplies = { ...(await suppliesOf(judge)), bounded: false };
    return campaign;
  }

  get name(): string {
    return this.judge.name;
  }

  /** Before 7.0 logs hold times that count from now, and options are unknown that the engine takes. */
  private get isOld(): boolean {
    return releaseOf(this.judge.server) < 700;
  }

  async stop(): Promise<void> {
    await Promise.all([this.judge.stop(), this.clients?.stop()]);
  }

  /** Commands written as a log, which both sides load. Resolves to what differed, if anything. */
  async logRound(
    seed: number,
    size: number,
    families: readonly string[] | null = null,
  ): Promise<Failure | null> {
    this.tally = this.tallies.logs;
    const random = new Random(seed);
    const options = { way: 'log', known: this.known, commands: size, families } as const;
    const commands = new Workload(random, options, { ...this.supplies, nowMs: Date.now() }).make();
    const log = this.isOld ? await vetted(this.judge.client, commands) : commands;
    return this.round(seed, log, random, true);
  }

  /** Commands of clients, and the log that the server makes of them. */
  async clientRound(
    seed: number,
    size: number,
    families: readonly string[] | null = null,
  ): Promise<Failure | null> {
    this.tally = this.tallies.clients;
    const random = new Random(seed);
    const options = { way: 'client', known: this.known, commands: size, families } as const;
    const commands = new Workload(random, options, { ...this.supplies, nowMs: Date.now() }).make();
    this.clients ??= await Clients.start();
    const { log, digest, refused } = await this.clients.serve(commands, random);
    this.tally.refused += refused;
    const failure = await this.round(seed, commandsIn(log), random, this.isOld);
    if (failure !== null) return failure;
    if (this.lastDigest !== digest) this.tally.unlikeItself++;
    return null;
  }

  private lastDigest = '';

  private async round(
    seed: number,
    commands: readonly Command[],
    random: Random,
    slack: boolean,
  ): Promise<Failure | null> {
    const { tally } = this;
    tally.rounds++;
    tally.commands += commands.length;
    const thorough = random.once(5);
    const preamble = random.once(2);
    const places = [commands.length, random.below(commands.length + 1)];
    for (const place of places) {
      const cut = beforeTransaction(commands, place);
      const found = await this.differences(commands, place, cut, slack);
      if (found.length === 0) continue;
      return { seed, told: await this.minimal(seed, commands.slice(0, cut), slack, found) };
    }
    const found = await this.exchanged(commands, slack, thorough, preamble);
    if (found.length === 0) return null;
    const small = await this.shrunk(commands, async (tried) => {
      const what = await this.exchanged(tried, slack, thorough, preamble);
      return what.some((line) => kindOf(line) === kindOf(found[0]!));
    });
    return {
      seed,
      told: await this.report(seed, small, await this.exchanged(small, slack, thorough, preamble)),
    };
  }

  /** What the server and we make of a log up to a place. */
  private async differences(
    commands: readonly Command[],
    place: number,
    cut: number,
    slack: boolean,
  ): Promise<string[]> {
    this.tally.comparisons++;
    const { judge } = this;
    const nowMs = Date.now();
    const rebuilt = await replayed(encode(commands), judge.server, place, nowMs);
    this.tally.refused += rebuilt.refusedCount;
    const found = [
      ...rebuilt.skipped.map(({ command, reason }) => `skipped ${command}: ${reason}`),
      ...(await otherwiseReplayed(encode(commands), judge.server, place, nowMs, rebuilt)),
    ];
    const theirs = await this.asked((judge) => judge.load(encode(commands.slice(0, cut))));
    if (typeof theirs === 'string') return [`the server dies of it: ${theirs}`];
    if (place === commands.length) this.lastDigest = theirs.digest;
    return [...found, ...compare('replay', stateOf(rebuilt.keyspace, judge.server), theirs, slack)];
  }

  /** What the server makes of what we write, and we of what it writes. */
  private async exchanged(
    commands: readonly Command[],
    slack: boolean,
    thorough: boolean,
    preamble: boolean,
  ): Promise<string[]> {
    const { judge } = this;
    const nowMs = Date.now();
    const { keyspace } = await replayed(encode(commands), judge.server, null, nowMs);
    const ours = stateOf(keyspace, judge.server);
    const { rdb, log, losses, unsaid } = written(keyspace, judge.server);
    // Before 7.0 a server counts nothing in its streams: nothing is lost when an RDB for it does not say.
    const lost = this.isOld ? losses.filter((loss) => loss !== 'stream-counters') : losses;
    const found = lost.map((loss) => `lost ${loss}`);
    for (const [what, bytes, lossy] of [
      ['our RDB', rdb, false],
      ['our commands', log, unsaid.length > 0],
    ] as const) {
      this.tally.comparisons++;
      const theirs = await this.asked((judge) => judge.load(bytes));
      if (typeof theirs === 'string') return [`${what}: the server dies of it: ${theirs}`];
      if (!lossy) found.push(...compare(what, ours, theirs, false));
    }
    if (!thorough || found.length > 0) return found;
    found.push(...(await this.commandLine(commands, ours, nowMs)));
    if (found.length > 0) return found;
    const rewritten = await judge.rewrite(preamble);
    if (rewritten === null) return [];
    this.tally.comparisons++;
    this.tally.rewrites++;
    const set = await openAofSet(rewritten);
    const read = await heldBy(set, judge.server, Date.now());
    // Commands of a rewrite before 5 leave out what has expired.
    const inIt = releaseOf(judge.server) < 500 && !preamble ? withoutExpired(ours, nowMs) : ours;
    if (preamble) return compare('its rewrite', read, inIt, slack);
    return compare('its rewrite', withoutSent(read), withoutSent(inIt), slack);
  }

  /** Where the command line and the server differ about what it writes. */
  private async commandLine(commands: readonly Command[], ours: State, nowMs: number): Promise<string[]> {
    const { digest, rdb, log } = await replayedByCommand(
      encode(commands),
      this.judge.server,
      nowMs,
      this.home,
    );
    const found = digest === ours.digest ? [] : [`replay: it says ${digest}, the engine ${ours.digest}`];
    for (const [what, load] of [
      ['replay to an RDB', (judge: Judge) => judge.load(readFileSync(rdb))],
      ['replay to a log', (judge: Judge) => judge.loadFrom(log)],
    ] as const) {
      this.tally.comparisons++;
      this.tally.commandLines++;
      const theirs = await this.asked(load);
      if (typeof theirs === 'string') return [...found, `${what}: the server dies of it: ${theirs}`];
      found.push(...compare(what, ours, theirs, false));
    }
    return found;
  }

  /** What the server makes of what it loads, or the reason it gave when it died of it. */
  private async asked(load: (judge: Judge) => Promise<void>): Promise<State | string> {
    try {
      await load(this.judge);
      return await judged(this.judge);
    } catch (error) {
      // It may take its time to say what it died of.
      for (let i = 0; i < 100 && this.judge.alive && this.judge.client.isGone; i++) await sleep(50);
      if (this.judge.alive && !this.judge.client.isGone) throw error;
      const reason = this.judge.log();
      await this.judge.stop();
      this.judge = await Judge.start({ logging: false });
      return reason;
    }
  }

  private async minimal(
    seed: number,
    commands: readonly Command[],
    slack: boolean,
    found: readonly string[],
  ): Promise<string> {
    const kind = kindOf(found[0]!);
    const small = await this.shrunk(commands, async (tried) => {
      const what = await this.differences(tried, tried.length, tried.length, slack);
      return what.some((line) => kindOf(line) === kind);
    });
    const rest = await this.differences(small, small.length, small.length, slack);
    return this.report(seed, small, rest.length > 0 ? rest : found);
  }

  /** Scripts and libraries stay as they are: cut ones are in no log, and servers die of some. */
  private shrunk(
    commands: readonly Command[],
    fails: (tried: readonly Command[]) => Promise<boolean>,
  ): Promise<readonly Command[]> {
    const whole = new Set(commands);
    const mayStand = (one: Command): boolean =>
      whole.has(one) || (!/^(eval|function|fcall)/i.test(String(one[0])) && mayBeLoaded(one, this.known));
    return shrink(commands, async (tried) => balanced(tried) && tried.every(mayStand) && fails(tried));
  }

  private async report(
    seed: number,
    commands: readonly Command[],
    found: readonly string[],
  ): Promise<string> {
    const home = process.env['REKINDLE_REPRODUCTIONS'] ?? temporaryDirectory('reproduction');
    mkdirSync(home, { recursive: true });
    const path = join(home, `${this.name}-${seed}.aof`);
    writeFileSync(path, encode(commands));
    const lines = commands.map((command) => command.map(quoted).join(' '));
    const title = `${this.name}, seed ${seed}, ${commands.length} commands in ${path}:`;
    const text = [title, ...lines, '--', ...found].join('\n');
    writeFileSync(`${path}.txt`, `${text}\n`);
    return text;
  }
}

/** The place itself, or the MULTI before it when it is inside a transaction: nothing of that is in effect. */
function beforeTransaction(commands: readonly Command[], place: number): number {
  let open = -1;
  for (let i = 0; i < place; i++) {
    if (open < 0 && is(commands[i]!, 'MULTI')) open = i;
    else if (is(commands[i]!, 'EXEC')) open = -1;
  }
  return open < 0 ? place : open;
}

const is = (command: Command, name: string): boolean => command[0]?.toString().toUpperCase() === name;

/** A log that ends inside a transaction is another matter: servers cut it, or refuse it. */
function balanced(commands: readonly Command[]): boolean {
  return (
    beforeTransaction(commands, commands.length) === commands.length &&
    commands.every((one) => one.length > 0)
  );
}

const kindOf = (line: string): string => line.split(':')[0]!;

function quoted(word: string | Buffer): string {
  const text = word.toString('latin1');
  return /^[\x21-\x7e]+$/.test(text)
    ? text
    : JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…${text.length}` : text);
}

/** The commands of a log as a server wrote it, annotations left out. */
export function commandsIn(log: Buffer): Command[] {
  const commands: Command[] = [];
  for (let at = 0; at < log.length; ) {
    const lineEnd = log.indexOf('\n', at);
    const line = log.latin1Slice(at, lineEnd - 1);
    at = lineEnd + 1;
    if (line.startsWith('#')) continue;
    const command: Buffer[] = [];
    for (let left = Number(line.slice(1)); left > 0; left--) {
      const end = log.indexOf('\n', at);
      const length = Number(log.latin1Slice(at + 1, end - 1));
      command.push(log.subarray(end + 1, end + 1 + length));
      at = end + 1 + length + 2;
    }
    commands.push(command);
  }
  return commands;
}
