import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type PumpOptions, pumpSource } from '../../../src/bytes/pump.js';
import { MemorySource } from '../../../src/bytes/source.js';
import { ByteWindow, NEED } from '../../../src/bytes/window.js';
import { FormatError } from '../../../src/errors.js';
import type { RdbCheckKernel } from '../../../src/kernels/rdb-check.js';
import { RdbDecoder } from '../../../src/rdb/decoder.js';
import { FindingList, placeOf } from '../../../src/tools/check/findings.js';
import { createCheckKernel, RdbCheck } from '../../../src/tools/check/keys.js';
import { still } from '../../faults/damage.js';
import {
  ARCHIVED_SERVERS,
  CORRUPT_SERVERS,
  corpusBytes,
  corruptCases,
  rdbCases,
} from '../../support/corpus.js';
import { seeds, THOROUGH } from '../../support/effort.js';
import { Random } from '../../support/random.js';

const kernel = createCheckKernel()!;

/** Everything that a check of these bytes comes to, and how many keys went the short way. */
class Checked {
  readonly findings = new FindingList('dump.rdb');
  readonly rdb: RdbCheck;
  readonly decoder: RdbDecoder;
  short = 0;
  private error: object | null = null;

  constructor(hurry: RdbCheckKernel | null) {
    this.rdb = new RdbCheck(this.findings, false, () => this.decoder, still);
    this.decoder = new RdbDecoder(this.rdb, {
      verifyChecksum: false,
      deep: true,
      onWarning: (code, offset, detail) =>
        this.findings.add(code, offset, detail, placeOf(this.decoder.head)),
    });
    if (hurry === null) return;
    this.rdb.hurry(hurry);
    const { passed } = this.rdb;
    this.rdb.passed = (keys, expiring) => {
      this.short += keys;
      passed.call(this.rdb, keys, expiring);
    };
  }

  /** All at once. */
  whole(bytes: Buffer): this {
    const window = new ByteWindow();
    window.bytes = bytes;
    window.end = window.limit = bytes.length;
    this.catching(() => {
      if (this.decoder.run(window) === NEED) this.decoder.finish(window);
    });
    return this;
  }

  async pumped(bytes: Buffer, options: PumpOptions): Promise<this> {
    try {
      await pumpSource(new MemorySource(bytes), this.decoder, options);
    } catch (error) {
      this.keep(error);
    }
    return this;
  }

  private catching(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.keep(error);
    }
  }

  private keep(thrown: unknown): void {
    if (!(thrown instanceof FormatError)) throw thrown;
    const { head, insideKey } = this.decoder;
    const { code, offset, trail, detail } = thrown;
    this.error = { code, offset, trail, detail, at: insideKey ? [head.offset, placeOf(head)] : null };
  }

  get outcome(): string {
    const { rdb, findings, error } = this;
    const { keys, version, summary, dialect } = rdb;
    const left = [...rdb.notChecked('dump.rdb'), ...findings.notListed()];
    const twice = error === null ? [...(rdb.takeSuspects()?.numbers ?? [-1])].sort() : null;
    const told = {
      keys,
      version,
      summary: { ...summary, dialect: null },
      dialect: dialect?.name,
      left,
      twice,
    };
    return JSON.stringify({ ...told, error, findings: findings.list });
  }
}

function sameWhole(bytes: Buffer, what: string): number {
  const short = new Checked(kernel).whole(bytes);
  const plain = new Checked(null).whole(bytes).outcome;
  if (short.outcome !== plain) expect(`${what}: ${short.outcome}`).toBe(`${what}: ${plain}`);
  return short.short;
}

/** Ways in which the bytes come. */
const WAYS: readonly PumpOptions[] = [{ rooms: kernel.rooms }, {}, { chunkBytes: 777 }, { chunkBytes: 31 }];

async function samePumped(bytes: Buffer, options: PumpOptions): Promise<void> {
  const short = await new Checked(kernel).pumped(bytes, options);
  const plain = await new Checked(null).pumped(bytes, { ...options, rooms: undefined });
  expect(JSON.parse(short.outcome)).toEqual(JSON.parse(plain.outcome));
}

describe.each(ARCHIVED_SERVERS)('files of %s', (server) => {
  test('are found the same', async () => {
    const random = new Random(server.length);
    for (const { name } of rdbCases(server)) {
      if (!THOROUGH && !/^(types|evict-lfu|modules)$/.test(name)) continue;
      const bytes = corpusBytes(server, `${name}.rdb`);
      sameWhole(bytes, name);
      if (name !== 'modules' && (THOROUGH || random.once(4))) await samePumped(bytes, random.pick([...WAYS]));
    }
  });
});

describe.each(CORRUPT_SERVERS)('damaged files of %s', (server) => {
  test('are found the same', () => {
    for (const [i, { name, path }] of corruptCases(server).entries()) {
      if (name.endsWith('.rdb') && (THOROUGH || i % 4 === 0)) sameWhole(readFileSync(path), name);
    }
  });
});

/** One of each generation of formats, all of them by `npm run fuzz`. */
const SERVERS = THOROUGH ? ARCHIVED_SERVERS : ['redis-2.4', 'redis-7.4.1'];

/** A bit of a byte; with the effort every bit and as many other changes as there are seeds. */
function masksAt(random: Random): number[] {
  if (!THOROUGH) return [1 << random.below(8)];
  return [1, 2, 4, 8, 16, 32, 64, 128, ...seeds('masks').map(() => 1 + random.below(255))];
}

describe.each(SERVERS)('a small file of %s', (server) => {
  test('is found the same with any byte changed', () => {
    const bytes = Buffer.from(corpusBytes(server, 'small.rdb'));
    const random = new Random(THOROUGH ? seeds('masks')[0]! : bytes.length);
    let short = 0;
    for (let at = 0; at < bytes.length; at++) {
      const was = bytes[at]!;
      for (const mask of masksAt(random)) {
        bytes[at] = was ^ mask;
        short += sameWhole(bytes, `byte ${at} with ${mask}`);
      }
      bytes[at] = was;
    }
    expect(short).toBeGreaterThan(bytes.length / 2);
  });
});
