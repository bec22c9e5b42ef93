import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { THOROUGH } from '../support/effort.js';
import { describeServer } from '../support/server.js';
import { Campaign, type Failure } from './campaign.js';
import { FORMS } from './forms.js';

// Random logs and random clients beside a real server: after any command both hold the same, and each loads what the
// other writes. REKINDLE_JUDGE names another server, REKINDLE_FAMILIES the commands to draw from.

const RUNS = Number(process.env['REKINDLE_FUZZ_RUNS'] ?? 0);
const BASE = Number(process.env['REKINDLE_FUZZ_SEED'] ?? 1);
const FAMILIES = process.env['REKINDLE_FAMILIES']?.split(',') ?? null;
const ROUNDS = THOROUGH ? RUNS * 20 : 12;
/** So many differences say enough. */
const FAILURES_MAX = Number(process.env['REKINDLE_FAILURES'] ?? 1);
const HOUR_MS = 3_600_000;
const REPORT = process.env['REKINDLE_REPORT'];
const COMMIT = process.env['REKINDLE_COMMIT'];

/** Write commands that no workload has, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  migrate: 'takes a second server; its log holds DEL',
  pfselftest: 'writes nothing',
  spublish: 'to subscribers of a cluster alone: it is in no log',
  trimslots: 'for clusters alone',
  sflush: 'for clusters alone',
  'cluster|flushslot': 'for clusters alone',
};

describeServer('a server and rekindle come to the same dataset', () => {
  let campaign: Campaign;
  beforeAll(async () => {
    campaign = await Campaign.start();
  });
  afterAll(() => campaign.stop());

  async function rounds(run: (seed: number) => Promise<Failure | null>): Promise<void> {
    const failures: Failure[] = [];
    for (let i = 0; i < ROUNDS && failures.length < FAILURES_MAX; i++) {
      const failure = await run(BASE + i);
      if (failure !== null) failures.push(failure);
      if (THOROUGH && i % 10 === 9) tell(failures.length);
    }
    if (THOROUGH) {
      tell(failures.length);
      console.info(campaign.name, `seeds from ${BASE}`, JSON.stringify(campaign.tallies));
    }
    expect(failures.map(({ told }) => told).join('\n\n'), 'differences').toBe('');
  }

  /** Keeps what was done so far, for a run that is not awaited to its end, too. */
  function tell(found: number): void {
    if (REPORT === undefined) return;
    mkdirSync(REPORT, { recursive: true });
    const run = { server: campaign.name, seed: BASE, commit: COMMIT, found, ...campaign.tallies };
    writeFileSync(join(REPORT, `${campaign.name}-${BASE}.json`), JSON.stringify(run));
  }

  test('of every write command the server knows, but those that cannot be', () => {
    const drawn = new Set(Object.values(FORMS).flatMap((forms) => forms.map(({ name }) => name)));
    const writes = [...campaign.known].filter(([, { writes }]) => writes).map(([name]) => name);
    const containers = new Set(['xgroup', 'function', 'script']);
    const left = writes.filter((name) => !drawn.has(name) && !containers.has(name) && !(name in EXCEPTIONS));
    expect(left).toEqual([]);
    expect(writes.length).toBeGreaterThan(60);
  });

  const sizeOf = (seed: number): number => [5, 30, 80, 200][seed % 4]!;

  test('of logs that nobody vetted', { timeout: HOUR_MS }, () =>
    rounds((seed) => campaign.logRound(seed, sizeOf(seed), FAMILIES)),
  );
  test('of what clients made it log', { timeout: HOUR_MS }, () =>
    rounds((seed) => campaign.clientRound(seed, sizeOf(seed), FAMILIES)),
  );
});
