import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recover } from '../../src/tools/library.js';
import { watched } from '../faults/watched-system.js';
import { THOROUGH } from '../support/effort.js';
import { resp } from '../support/resp.js';
import { temporaryDirectory } from '../support/temporary.js';

// A server that rewrites its log does one step before each call of recover in turn: what it tells must be what stood there
// at some moment.

/** A log of one key, and the steps of its rewrite in the order in which servers make them. */
class Rewriting {
  readonly directory = temporaryDirectory('rewritten');
  private readonly log = join(this.directory, 'appendonlydir');
  private readonly temporary = join(this.directory, 'temp-rewriteaof-bg-1.aof');
  private readonly steps = [
    () => writeFileSync(this.pathOf('2.incr.aof'), ''),
    () => this.name('1.base.aof b', '1.incr.aof i', '2.incr.aof i'),
    () => writeFileSync(this.temporary, resp('SELECT 0', 'SET a 11')),
    () => appendFileSync(this.pathOf('2.incr.aof'), resp('SELECT 0', 'INCRBY a 100')),
    () => renameSync(this.temporary, this.pathOf('2.base.aof')),
    () => this.name('2.base.aof b', '2.incr.aof i', '1.base.aof h', '1.incr.aof h'),
    () => rmSync(this.pathOf('1.base.aof')),
    () => rmSync(this.pathOf('1.incr.aof')),
    () => this.name('2.base.aof b', '2.incr.aof i'),
  ];

  constructor() {
    mkdirSync(this.log);
    writeFileSync(this.pathOf('1.base.aof'), resp('SELECT 0', 'SET a 1'));
    writeFileSync(this.pathOf('1.incr.aof'), resp('SELECT 0', 'INCRBY a 10'));
    this.name('1.base.aof b', '1.incr.aof i');
  }

  get isDone(): boolean {
    return this.steps.length === 0;
  }

  step(): void {
    this.steps.shift()?.();
  }

  private pathOf(name: string): string {
    return join(this.log, `appendonly.aof.${name}`);
  }

  private name(...entries: string[]): void {
    const lines = entries.map((entry) => {
      const [file, type] = entry.split(' ');
      return `file appendonly.aof.${file} seq ${file![0]} type ${type}\n`;
    });
    const temporary = join(this.log, 'temp-appendonly.aof.manifest');
    writeFileSync(temporary, lines.join(''));
    renameSync(temporary, this.pathOf('manifest'));
  }
}

async function digestOf(...commands: string[]): Promise<string> {
  const directory = temporaryDirectory('state');
  writeFileSync(join(directory, 'appendonly.aof'), resp('SELECT 0', ...commands));
  return (await recover(directory)).plan!.measured.measure!.digest;
}

/** While the directory is looked at; behind that its files are open. */
const FIRST_CALLS = 24;

it.each(THOROUGH ? [1, 2, 5] : [2])(
  'a log that is rewritten meanwhile is told of one moment, a step each %i calls',
  async (each) => {
    const held = [await digestOf('SET a 11'), await digestOf('SET a 111')];
    // What its files hold of earlier moments: a base without its increments.
    const states = new Set([...held, await digestOf('SET a 1')]);
    for (let from = 1, isOver = false; !isOver; from++) {
      const rewriting = new Rewriting();
      let calls = 0;
      const onCall = (): void => {
        calls++;
        if (calls >= from && (calls - from) % each === 0) rewriting.step();
      };
      const { result } = await watched(rewriting.directory, { onCall }, () => recover(rewriting.directory));
      expect(result.starts[0], `from call ${from}`).toMatchObject({ outcome: 'loads', reason: 'log' });
      expect(held, `from call ${from}`).toContain(result.starts[0]!.digest);
      for (const { measure, way } of result.ways) {
        expect(states, `from call ${from}, ${way.kind}`).toContain(measure?.digest);
      }
      isOver = calls < from || (!THOROUGH && from === FIRST_CALLS);
    }
  },
);
