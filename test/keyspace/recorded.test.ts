import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NO_CUT } from '../../src/aof/cut.js';
import { openAofSet } from '../../src/aof/set.js';
import { Keyspace } from '../../src/keyspace/keyspace.js';
import { KeyspaceLoader } from '../../src/keyspace/load.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import { serverNamed } from '../../src/tools/family.js';
import { rebuild } from '../../src/tools/rebuild.js';
import { CORPUS_NOW, testdata } from '../support/corpus.js';
import { decodeInto } from '../support/rdb.js';
import { RdbEvents } from '../support/rdb-events.js';
import { readTarGz } from '../support/tar.js';
import { temporaryDirectory } from '../support/temporary.js';

/**
 * Commands at random, many of them refused, that a real Redis (its development of June 2026) or Valkey 9.1.0 loaded as
 * a log: its digest, and the RDB it saved, which tells what digests do not count.
 */
const RECORDED = readdirSync(testdata('commands')).map((name) => name.replace('.tar.gz', ''));

const NOW_MS = CORPUS_NOW * 1000;
/** Times of these servers are told from their clock; those of the commands are smaller, or in the next century. */
const CLOCK = /\b1[7-9]\d{11}\b/g;
const AS = { 'redis-8.8dev': 'redis-8.8', 'valkey-9.1': 'valkey-9.1' } as const;

const context = {
  nowMs: NOW_MS,
  clock: () => 0,
  signal: new AbortController().signal,
  progress: () => {},
  memoryBytes: 2 ** 40,
  heldBytes: () => 0,
};

/** Everything a keyspace tells, key by key. */
function toldBy(keyspace: Keyspace): Record<string, string[]> {
  const events = new RdbEvents();
  keyspace.walk(events).run();
  const told: Record<string, string[]> = {};
  let lines: string[] = [];
  for (const line of events.lines) {
    if (line.startsWith('end-of')) told[line.slice(7)] = isOrdered(lines) ? lines : lines.sort();
    else if (line.startsWith('key')) lines = [line.match(/^key "[^"]*" db \d+ \w+|expires \d+/g)!.join(' ')];
    else if (!/^(idempotence 100 100|produced-totals 0 0)$/.test(line)) lines.push(comparable(line));
  }
  return told;
}

/** Without when a consumer was seen, and with the clock as a word. */
function comparable(line: string): string {
  const consumer = /^(consumer "[^"]*") -?\d+ (-?\d+)$/.exec(line);
  if (consumer !== null) return `${consumer[1]} ${consumer[2] === '-1' ? 'never' : 'active'}`;
  return line.startsWith('pending') ? line.replace(CLOCK, 'now') : line;
}

function isOrdered(lines: readonly string[]): boolean {
  return !/ (hash|set)( expires|$)/.test(lines[0]!);
}

describe.each(RECORDED)('%s', (name) => {
  test('leaves what the server had', async () => {
    const files = readTarGz(readFileSync(testdata('commands', `${name}.tar.gz`)));
    const path = join(temporaryDirectory('commands'), 'appendonly.aof');
    writeFileSync(path, files.get('log.aof')!);
    const as = serverNamed(AS[name.slice(0, name.lastIndexOf('-')) as keyof typeof AS], 'as');
    const options = { cut: NO_CUT, as, onUnknown: 'stop', dialect: null } as const;
    const { keyspace, refusedCount } = await rebuild(await openAofSet(path), options, context);
    expect(refusedCount).toBeGreaterThan(100);

    const saved = new Keyspace();
    await decodeInto(new KeyspaceLoader(saved), files.get('saved.rdb')!);
    expect(toldBy(keyspace)).toEqual(toldBy(saved));

    const digest = new DigestHandler({
      ...digestFamilyOf(as.product, as.version),
      nowMs: NOW_MS,
      onKey: null,
    });
    keyspace.walk(digest).run();
    expect(digest.result()).toBe(files.get('digest')!.latin1Slice().trim());
  });
});
