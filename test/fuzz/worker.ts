import './coverage.js';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { Random } from '../support/random.js';
import { Corpus } from './corpus.js';
import { Coverage } from './coverage.js';
import { type Fault, faultOf } from './judge.js';
import { Mutator } from './mutate.js';
import type { Target } from './target.js';
import { targetsOf } from './targets/index.js';

/** What the program that watches gives its worker. */
interface Assignment {
  readonly targets: readonly string[] | null;
  readonly seed: number;
  /** Executions of each target after which it is enough. */
  readonly executionsMax: number;
  /** Inputs kept of runs before, by target. */
  readonly corpora: Readonly<Record<string, readonly Uint8Array[]>>;
  /** Words: beat, stop, target, length of the input, whether it runs; then the input. */
  readonly shared: SharedArrayBuffer;
  /** Inputs to run and nothing else. */
  readonly replay: { readonly target: string; readonly bytes: Uint8Array } | null;
}

const BEAT = 0;
const STOP = 1;
const TARGET = 2;
const LENGTH = 3;
const RUNNING = 4;
const INPUT = 64;

const SLOW_MS = 1000;
const GROWTH_MAX = 96 << 20;
const GROWTH_PER_BYTE = 1024;
const SLICE_MS = 200;
const MINIMISE_MS = 3000;

const { targets: wanted, seed, executionsMax, corpora, shared, replay } = workerData as Assignment;
const words = new Int32Array(shared, 0, INPUT / 4);
const slot = new Uint8Array(shared, INPUT);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const stray: unknown[] = [];
Error.stackTraceLimit = 0;
process.on('unhandledRejection', (error) => stray.push(error));

/** One target and what its inputs have reached. */
class Campaign {
  readonly coverage = new Coverage();
  readonly corpus = new Corpus();
  readonly random: Random;
  executions = 0;
  private readonly mutator: Mutator;
  private readonly known = new Set<string>();
  private fresh: Uint8Array[] = [];

  constructor(
    readonly target: Target,
    private readonly index: number,
  ) {
    let salt = seed;
    for (const letter of target.name) salt = (Math.imul(salt, 31) + letter.charCodeAt(0)) >>> 0;
    this.random = new Random(salt);
    this.mutator = new Mutator(target, this.random);
  }

  async begin(): Promise<void> {
    const kept = (corpora[this.target.name] ?? []).map((bytes) => Buffer.from(bytes));
    for (const input of [...this.target.seeds(), ...kept].sort((a, b) => a.length - b.length)) {
      if (Atomics.load(words, STOP) === 0) await this.take(input);
    }
    if (this.corpus.size === 0) await this.take(Buffer.alloc(this.target.modeBytes ?? 0), true);
    this.tellNews();
  }

  async slice(): Promise<void> {
    const { corpus, random, mutator, target } = this;
    const until = performance.now() + SLICE_MS * (target.weight ?? 1);
    // What breaks between two inputs is nobody else's.
    words[TARGET] = this.index;
    words[LENGTH] = 0;
    while (performance.now() < until && Atomics.load(words, STOP) === 0 && this.executions < executionsMax) {
      await this.take(mutator.mutate(corpus.pick(random), corpus.pick(random)));
    }
    this.tellNews();
  }

  /** Says what was kept: another worker takes it over when this one ends. */
  private tellNews(): void {
    if (this.fresh.length === 0) return;
    parentPort!.postMessage({ kind: 'kept', target: this.target.name, inputs: this.fresh });
    this.fresh = [];
  }

  /** Runs an input and keeps it when it reaches something new. */
  private async take(input: Buffer, always = false): Promise<void> {
    const fault = await this.execute(input);
    const isNews = this.coverage.news() !== null;
    if (isNews || always) {
      this.corpus.add(input, Coverage.ran());
      // Of its own: a buffer is sent with all of the memory that it shares.
      if (isNews) this.fresh.push(Uint8Array.from(input));
    }
    if (fault !== null) await this.found(input, fault);
  }

  private async found(input: Buffer, fault: Fault): Promise<void> {
    const isNew = !this.known.has(fault.signature);
    this.known.add(fault.signature);
    if (!isNew) return;
    const again = await this.execute(input);
    const bytes = again?.signature === fault.signature ? await this.minimised(input, fault) : input;
    parentPort!.postMessage({
      kind: 'finding',
      target: this.target.name,
      fault,
      bytes,
      steady: again !== null,
    });
  }

  /** A smaller input that does the same. */
  private async minimised(input: Buffer, { signature }: Fault): Promise<Buffer> {
    const until = performance.now() + MINIMISE_MS;
    let best = input;
    const attempt = async (bytes: Buffer): Promise<boolean> => {
      if ((await this.execute(bytes))?.signature !== signature) return false;
      best = bytes;
      return true;
    };
    for (let size = best.length >> 1; size > 0; size >>= 1) {
      for (let at = this.target.modeBytes ?? 0; at < best.length; ) {
        if (performance.now() > until) return best;
        const without = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
        if (!(await attempt(without))) at += size;
      }
    }
    return best;
  }

  /** Runs an input; what it did wrong, null: nothing. */
  async execute(input: Buffer): Promise<Fault | null> {
    this.executions++;
    words[TARGET] = this.index;
    words[LENGTH] = Math.min(input.length, slot.length);
    slot.set(input.length > slot.length ? input.subarray(0, slot.length) : input);
    Atomics.add(words, BEAT, 1);
    Atomics.store(words, RUNNING, 1);
    try {
      return await this.judged(input);
    } finally {
      Atomics.store(words, RUNNING, 0);
    }
  }

  private async judged(input: Buffer): Promise<Fault | null> {
    const attempt = await this.attempt(input);
    if (attempt.fault?.kind === 'error') return this.placed(input, attempt.fault);
    if (attempt.fault !== null) return attempt.fault;
    if (attempt.ms > SLOW_MS) return this.confirmed(input, 'slow');
    if (attempt.growth > GROWTH_MAX + GROWTH_PER_BYTE * input.length) return this.confirmed(input, 'memory');
    return null;
  }

  /** The same fault with the place where it happened: stacks cost too much to be made for all errors. */
  private async placed(input: Buffer, first: Fault): Promise<Fault> {
    Error.stackTraceLimit = 20;
    const { fault } = await this.attempt(input);
    Error.stackTraceLimit = 0;
    return fault ?? first;
  }

  private async attempt(input: Buffer): Promise<{ fault: Fault | null; ms: number; growth: number }> {
    Coverage.reset();
    const before = held();
    const started = performance.now();
    let fault: Fault | null = null;
    try {
      const running = this.target.run(input);
      if (running !== undefined) await running;
    } catch (error) {
      fault = faultOf(error);
    }
    const ms = performance.now() - started;
    if (stray.length > 0) fault ??= faultOf(stray.pop()) ?? null;
    return { fault, ms, growth: held() - before };
  }

  /** Another process or a collection can be what took long or grew: only what does so again counts. */
  private async confirmed(input: Buffer, kind: 'slow' | 'memory'): Promise<Fault | null> {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      collect();
      const cpu = process.cpuUsage();
      const { ms, growth } = await this.attempt(input);
      const used = process.cpuUsage(cpu);
      const cpuMs = (used.user + used.system) / 1000;
      least = Math.min(least, kind === 'slow' ? Math.min(ms, cpuMs) : growth);
    }
    const limit = kind === 'slow' ? SLOW_MS : GROWTH_MAX + GROWTH_PER_BYTE * input.length;
    return least > limit ? { kind, signature: kind, message: `${kind}: ${Math.round(least)}` } : null;
  }
}

function held(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function report(campaigns: readonly Campaign[], kind: 'status' | 'done'): void {
  const states = campaigns.map(({ target, executions, coverage, corpus }) => ({
    target: target.name,
    executions,
    edges: coverage.count,
    corpus: corpus.size,
    ...(kind === 'done' && { map: coverage.map(), kept: corpus.minimal() }),
  }));
  parentPort!.postMessage({ kind, states });
}

async function fuzz(): Promise<void> {
  const targets = await targetsOf(wanted).catch((error: Error) => error.message);
  if (typeof targets === 'string') {
    parentPort!.postMessage({ kind: 'refused', message: targets });
    return;
  }
  const campaigns = targets.map((target, index) => new Campaign(target, index));
  parentPort!.postMessage({ kind: 'ready', targets: campaigns.map(({ target }) => target.name) });
  for (const campaign of campaigns) {
    if (Atomics.load(words, STOP) === 0) await campaign.begin();
    report(campaigns, 'status');
  }
  for (let told = performance.now(); Atomics.load(words, STOP) === 0; ) {
    const open = campaigns.filter(({ executions }) => executions < executionsMax);
    if (open.length === 0) break;
    for (const campaign of open) {
      if (Atomics.load(words, STOP) === 0) await campaign.slice();
      if (performance.now() - told < 2000) continue;
      report(campaigns, 'status');
      told = performance.now();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  report(campaigns, 'done');
}

async function once({ target: name, bytes }: NonNullable<Assignment['replay']>): Promise<void> {
  const [target] = await targetsOf([name]);
  const fault = await new Campaign(target!, 0).execute(Buffer.from(bytes));
  parentPort!.postMessage({ kind: 'replayed', fault });
}

await (replay === null ? fuzz() : once(replay));
process.exitCode = 0;
