import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../src/keyspace/engine.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import { CommandSpans } from '../../src/resp/command.js';
import { type Ran, runCli } from '../cli/memory-io.js';
import { THOROUGH } from '../support/effort.js';
import { describeServer, TestServer } from '../support/server.js';

// Every command on the directory of a server that writes, rewrites and rotates as fast as it can. Each transaction
// counts all keys up by one, so a dataset is one that existed when they agree, and their number says when.

const KEYS = 12;
const RUNS_EACH = THOROUGH ? 150 : 1;
const HOUR_MS = 3_600_000;
/** Long enough that a write is seen half done now and then. */
const PADDING = 'x'.repeat(100_000);

const SOUND = expect.not.stringMatching(/error|warning|torn|damage/);
const FINE = { exit: 0, stderr: SOUND };

/** A server under load, and the number that it has counted to. */
class Busy {
  private stopped = false;
  private readonly writing: Promise<void>;
  private count = 0;
  rewrites = 0;

  private constructor(readonly server: TestServer) {
    this.writing = Promise.all([this.write(), this.rewrite()]).then(() => {});
  }

  static async start(preamble: boolean): Promise<Busy> {
    const settings = {
      appendonly: 'yes',
      appendfsync: 'no',
      'auto-aof-rewrite-percentage': '0',
      'aof-use-rdb-preamble': preamble ? 'yes' : 'no',
    };
    return new Busy(await TestServer.start({ writable: true, settings }));
  }

  /** What the server has counted to, and has written to its log. */
  get counted(): number {
    return this.count;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.writing;
    await this.server.stop();
  }

  private async write(): Promise<void> {
    const { client } = this.server;
    while (!this.stopped) {
      const transaction = client.multi();
      for (let i = 0; i < KEYS; i++) transaction.incr(`n${i}`);
      transaction.set('padding', PADDING);
      const replies = await transaction.exec();
      this.count = Number(replies![0]![1]);
      if (this.count % 20 === 0) await sleep(1);
    }
  }

  private async rewrite(): Promise<void> {
    const { client } = this.server;
    while (!this.stopped) {
      // Saving and rewriting take turns: one is refused while the other goes on.
      const asked = this.rewrites++ % 3 === 0 ? client.bgsave() : client.bgrewriteaof();
      await asked.catch(() => {});
      await sleep(15);
    }
  }
}

/** The digest of the dataset that counts to `count`. */
function digestOf(count: number): string {
  const engine = new Engine(new Keyspace(), { nowMs: 0, scoreText: '17g', release: 700 });
  if (count > 0) {
    for (let i = 0; i < KEYS; i++) engine.execute(CommandSpans.of('SET', `n${i}`, String(count)));
    engine.execute(CommandSpans.of('SET', 'padding', PADDING));
  }
  const digest = new DigestHandler({ ...digestFamilyOf('redis', '7.0.15'), nowMs: null, onKey: null });
  engine.keyspace.walk(digest).run();
  return digest.result();
}

function digestsOf(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => digestOf(from + i));
}

describeServer('the directory of a busy server', () => {
  for (const preamble of THOROUGH ? [true, false] : [true]) {
    let busy: Busy;
    beforeAll(async () => {
      busy = await Busy.start(preamble);
    });
    afterAll(() => busy.stop());

    /** Runs a command line while the server goes on; resolves to what it came to, and what there was around it. */
    async function during(...argv: string[]): Promise<Ran & { from: number; to: number }> {
      const from = busy.counted;
      const ran = await runCli([...argv.slice(0, 1), busy.server.directory, ...argv.slice(1)], {
        nowMs: Date.now(),
      });
      // What was logged while it ran is told a little later: the server replies behind its log.
      const { counted } = busy;
      while (busy.counted < counted + 2) await sleep(1);
      return { ...ran, from, to: busy.counted };
    }

    const title = preamble ? 'with a preamble' : 'of commands alone';
    const often = (name: string, run: () => Promise<void>): void => {
      test(`${name}, ${title}`, { timeout: HOUR_MS }, async () => {
        for (let i = 0; i < RUNS_EACH; i++) await run();
      });
    };

    often('check finds nothing wrong', async () => {
      const { exit, both } = await during('check');
      expect({ exit, both }).toEqual({ exit: 0, both: SOUND });
    });

    often('digest is that of a moment while it ran', async () => {
      const { exit, stdout, stderr, from, to } = await during('digest', '--json');
      expect({ exit, stderr }).toEqual(FINE);
      expect(digestsOf(from, to)).toContain(JSON.parse(stdout).digest);
    });

    often('replay comes to a moment while it ran', async () => {
      const { exit, stdout, stderr, from, to } = await during('replay', '--json');
      expect({ exit, stderr }).toEqual(FINE);
      expect(digestsOf(from, to)).toContain(JSON.parse(stdout).digest);
    });

    often('convert tells keys that agree', async () => {
      const { exit, stdout, stderr, from, to } = await during(
        'convert',
        '-',
        '--to',
        'ndjson',
        '--match',
        'n*',
      );
      expect({ exit, stderr }).toEqual(FINE);
      const values = stdout
        .split('\n')
        .filter((line) => line.includes('"key":"n'))
        .map((line) => Number(JSON.parse(line).value));
      expect(new Set(values).size).toBe(1);
      expect(values.length).toBe(KEYS);
      expect(values[0]).toBeGreaterThanOrEqual(from);
      expect(values[0]).toBeLessThanOrEqual(to);
    });

    often('info, verify and recover find it in order', async () => {
      for (const command of ['info', 'verify']) {
        const { exit, both } = await during(command);
        expect({ command, exit, both }).toEqual({ command, exit: 0, both: SOUND });
      }
      // It says that the server runs, and that nothing it finds should be acted on before that ends.
      const { exit, stdout } = await during('recover');
      expect({ exit, stdout }).toEqual({ exit: 0, stdout: SOUND });
      expect(stdout).toContain('loses nothing that the files hold');
    });
  }
});
