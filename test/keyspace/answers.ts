import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Keyspace } from '../../src/keyspace/keyspace.js';
import { APPLIED } from '../../src/keyspace/outcome.js';
import { Walk } from '../../src/keyspace/walk.js';
import { DigestHandler, digestFamilyOf } from '../../src/model/digest.js';
import { type Depth, ITEMS, type ItemHandler, type KeyHead } from '../../src/model/handler.js';
import { PayloadWriter } from '../../src/rdb/writer-payload.js';
import { RDB_TARGETS } from '../../src/rdb/writer-target.js';
import { ItemRelay } from '../../src/tools/relay.js';
import { testdata } from '../support/corpus.js';
import { EngineDriver } from './engine-driver.js';

/** One step of what a real server was asked, and answered. */
type Step =
  | { readonly run: readonly string[]; readonly refused?: string }
  /** By key, SHA-1 of what DUMP gave. */
  | { readonly dumps: Readonly<Record<string, string>> }
  /** DEBUG DIGEST. */
  | { readonly digest: string };

/** What DUMP gives for each key, with the version and checksum of Redis 8.8, uncompressed. */
class Dumper extends ItemRelay {
  readonly payloads = new Map<string, Buffer>();
  private readonly payload: PayloadWriter;

  constructor() {
    const payload = new PayloadWriter(RDB_TARGETS.get('redis-8.8')!, false);
    super(payload as unknown as ItemHandler);
    this.payload = payload;
  }

  override database(): void {}

  override key(head: KeyHead): Depth {
    this.payload.begin(head);
    return ITEMS;
  }

  /** Vector sets are written from their bytes. */
  override vectorSet(): void {}

  override vector(): void {}

  override keyEnd(head: KeyHead): void {
    if (this.payload.finish()) this.payloads.set(head.key.latin1(), Buffer.from(this.payload.payload()));
  }
}

export function dumpsOf(keyspace: Keyspace): Map<string, Buffer> {
  const dumper = new Dumper();
  new Walk(keyspace, dumper).run();
  return dumper.payloads;
}

/** DEBUG DIGEST as a server of 8.8 tells it. */
export function digestOf(keyspace: Keyspace): string {
  const digest = new DigestHandler({ ...digestFamilyOf('redis', '8.8'), nowMs: null, onKey: null });
  new Walk(keyspace, digest).run();
  return digest.result();
}

export interface Counts {
  commands: number;
  refused: number;
  dumps: number;
  digests: number;
}

/** Runs what was recorded of a server again: the same commands are refused, in the same words, and values are its own byte for byte. */
export function answerAlike(name: string): Counts {
  const steps = JSON.parse(gunzipSync(readFileSync(testdata('answers', name))).toString()) as Step[];
  const driver = new EngineDriver({ scoreText: 'shortest', release: 808 });
  const counts: Counts = { commands: 0, refused: 0, dumps: 0, digests: 0 };
  for (const [i, step] of steps.entries()) {
    if ('run' in step) {
      const outcome = driver.run(...step.run);
      const refusal = outcome === APPLIED ? undefined : driver.engine.lastError;
      // Modules give their commands upper-case names, which show in this one message.
      const refused = step.refused?.replace(/(?<=wrong number of arguments for ').*(?=')/, (name) =>
        name.toLowerCase(),
      );
      expect(refusal, `step ${i}: ${step.run.join(' ').slice(0, 200)}`).toBe(refused);
      counts.commands++;
      if (refusal !== undefined) counts.refused++;
      continue;
    }
    if ('digest' in step) {
      expect(digestOf(driver.engine.keyspace), `step ${i}`).toBe(step.digest);
      counts.digests++;
      continue;
    }
    const payloads = [...dumpsOf(driver.engine.keyspace)].sort(([a], [b]) => (a < b ? -1 : 1));
    const hashes = payloads.map(([key, bytes]) => [key, createHash('sha1').update(bytes).digest('hex')]);
    expect(Object.fromEntries(hashes), `step ${i}`).toEqual(step.dumps);
    counts.dumps += payloads.length;
  }
  return counts;
}
