import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { bundle } from './bundle.mjs';
import { addRun, describe, table } from './report.mjs';

const USAGE = `Usage: npm run fuzz -- [options]

  --minutes N       how long (default: 10)
  --executions N    of each target, then it ends
  --targets a,b     these alone; "list" names them all
  --seed N          where chance starts (default: 1)
  --corpus DIR      inputs are taken from here and kept here
  --report FILE     adds the run to this JSON file
  --findings DIR    where inputs go that break something (default: fuzz-findings)
  --replay FILE     runs one of those and says what it does`;

/** Time of the processor after which an input counts as one that never ends: on a machine that does other things, too, it can wait long. */
const HANG_MS = 10_000;
const INPUT_MAX = 1 << 18;
const HEAD = 64;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    executions: { type: 'string' },
    targets: { type: 'string' },
    seed: { type: 'string', default: '1' },
    corpus: { type: 'string' },
    report: { type: 'string' },
    findings: { type: 'string', default: 'fuzz-findings' },
    replay: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

for (const name of ['corpus', 'report', 'findings', 'replay']) {
  if (flags[name] !== undefined) flags[name] = resolve(flags[name]);
}
const work = resolve('node_modules/.cache', `rekindle-fuzz-${process.pid}`);
mkdirSync(work, { recursive: true });
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

class Run {
  targets = [];
  states = new Map();
  /** What workers had done that ended before their time. */
  before = new Map();
  findings = [];
  corpora = {};
  shared = new SharedArrayBuffer(HEAD + INPUT_MAX);
  words = new Int32Array(this.shared, 0, HEAD / 4);
  restarts = 0;
  maps = new Map();

  constructor(meta) {
    this.meta = meta;
    this.started = Date.now();
    if (flags.corpus !== undefined) this.readCorpora();
  }

  async go() {
    this.stopAt = this.started + Number(flags.minutes) * 60_000;
    process.once('SIGINT', () => this.stop());
    process.once('SIGTERM', () => this.stop());
    const progress = setInterval(() => this.tell(), process.stderr.isTTY ? 1000 : 60_000);
    for (;;) {
      const beats = Atomics.load(this.words, 0);
      const how = await this.worker();
      if (how === 'done') break;
      this.restarts++;
      if (Atomics.load(this.words, 0) === beats) throw new Error('the worker does not start');
      for (const [target, state] of this.states) {
        this.before.set(target, (this.before.get(target) ?? 0) + state.executions);
        state.executions = 0;
      }
      if (Date.now() >= this.stopAt || this.restarts > 200) break;
    }
    clearInterval(progress);
    this.tell();
    if (flags.corpus !== undefined) this.writeCorpora();
    return this.result();
  }

  stop() {
    Atomics.store(this.words, 1, 1);
  }

  executionsOf(target) {
    return (this.before.get(target) ?? 0) + (this.states.get(target)?.executions ?? 0);
  }

  worker() {
    const targets = flags.targets?.split(',') ?? null;
    return new Promise((resolved) => {
      Atomics.store(this.words, 1, 0);
      const worker = new Worker(join(work, 'counted/fuzzer.js'), {
        workerData: {
          edges: this.meta.edges,
          twin: join(work, 'plain/twin.js'),
          scratch: join(work, 'scratch'),
          targets,
          seed: Number(flags.seed) + this.restarts * 7919,
          executionsMax: flags.executions === undefined ? Number.MAX_SAFE_INTEGER : Number(flags.executions),
          corpora: this.corpora,
          shared: this.shared,
          replay: null,
        },
        // Tools begin with much memory that is soon of no use.
        resourceLimits: { maxOldGenerationSizeMb: 1500, maxYoungGenerationSizeMb: 96 },
      });
      let beat = -1;
      let beatAt = cpuMs();
      let ended = null;
      const watch = setInterval(() => {
        if (Date.now() >= this.stopAt) this.stop();
        const now = cpuMs();
        const next = Atomics.load(this.words, 0);
        // Loading and planning take their time, too.
        if (next !== beat || Atomics.load(this.words, 4) === 0) {
          beat = next;
          beatAt = now;
        } else if (now - beatAt > HANG_MS && ended === null) {
          ended = 'hang';
          this.breakOff('hang', `no end after ${HANG_MS / 1000} seconds`);
          worker.terminate();
        }
      }, 250);
      worker.on('message', (message) => {
        this.take(message);
        if (message.kind === 'done') ended = 'done';
      });
      worker.on('error', (error) => {
        ended ??= 'crash';
        this.breakOff('crash', error.stack ?? String(error));
      });
      worker.on('exit', () => {
        clearInterval(watch);
        resolved(ended ?? 'done');
      });
    });
  }

  take(message) {
    switch (message.kind) {
      case 'ready':
        this.targets = message.targets;
        break;
      case 'kept':
        (this.corpora[message.target] ??= []).push(...message.inputs);
        break;
      case 'refused':
        process.stderr.write(`${message.message}\n`);
        process.exit(2);
        break;
      case 'finding':
        this.found({ ...message.fault, ...message, kind: message.fault.kind });
        break;
      case 'status':
      case 'done':
        for (const state of message.states) {
          this.states.set(state.target, state);
          if (message.kind === 'done') {
            this.corpora[state.target] = state.kept;
            this.maps.set(state.target, state.map);
          }
        }
        break;
    }
  }

  /** The worker ended, or had to be ended, at the input that lies between us. */
  breakOff(kind, message) {
    const target = this.targets[this.words[2]] ?? 'none';
    const bytes = Buffer.from(new Uint8Array(this.shared, HEAD, this.words[3]));
    this.found({ target, kind, signature: kind, message, bytes, steady: true });
  }

  found({ target, kind, signature, message, bytes, steady }) {
    if (this.findings.some((each) => each.target === target && each.signature === signature)) return;
    const name = `${target}-${createHash('sha1').update(bytes).digest('hex').slice(0, 12)}.bin`;
    mkdirSync(flags.findings, { recursive: true });
    const file = join(flags.findings, name);
    writeFileSync(file, bytes);
    this.findings.push({ target, kind, signature, bytes: bytes.length, file: name, steady });
    process.stderr.write(`\n${target}: ${kind}: ${message}\n  replay: npm run fuzz -- --replay ${file}\n`);
  }

  tell() {
    const all = this.targets.reduce((sum, target) => sum + this.executionsOf(target), 0);
    const seconds = (Date.now() - this.started) / 1000;
    const line = `${all} executions in ${seconds.toFixed(0)} s, ${(all / seconds).toFixed(0)} a second, ${this.findings.length} findings`;
    process.stderr.write(process.stderr.isTTY ? `\r${line} ` : `${line}\n`);
  }

  result() {
    const targets = {};
    for (const target of this.targets) {
      const { edges = 0, corpus = 0 } = this.states.get(target) ?? {};
      targets[target] = { executions: this.executionsOf(target), edges, corpus };
    }
    return {
      seed: Number(flags.seed),
      minutes: Math.round((Date.now() - this.started) / 6000) / 10,
      restarts: this.restarts,
      targets,
      findings: this.findings,
      covered: covered(this.maps, this.meta),
    };
  }

  readCorpora() {
    for (const target of listed(flags.corpus)) {
      const room = join(flags.corpus, target);
      this.corpora[target] = listed(room).map((name) => readFileSync(join(room, name)));
    }
  }

  writeCorpora() {
    for (const target of this.targets) {
      const inputs = this.corpora[target] ?? [];
      const room = join(flags.corpus, target);
      rmSync(room, { recursive: true, force: true });
      mkdirSync(room, { recursive: true });
      for (const bytes of inputs) {
        writeFileSync(join(room, createHash('sha1').update(bytes).digest('hex').slice(0, 16)), bytes);
      }
    }
  }
}

/** Of this process, all its threads. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function listed(directory) {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** Branches that any target took, by room of the sources. */
function covered(maps, { files }) {
  const rooms = {};
  for (const { file, first, count } of files) {
    const room = file.includes('/') ? file.slice(0, file.indexOf('/')) : file;
    const sum = (rooms[room] ??= { edges: 0, of: 0 });
    sum.of += count;
    for (let i = first; i < first + count; i++) {
      for (const map of maps.values()) {
        if (map[i] === 0) continue;
        sum.edges++;
        break;
      }
    }
  }
  return rooms;
}

async function replay(meta, file) {
  const target = /^(.*)-[0-9a-f]+\.bin$/.exec(basename(file))?.[1];
  if (target === undefined) throw new Error(`${file}: no name of a finding`);
  const worker = new Worker(join(work, 'counted/fuzzer.js'), {
    workerData: {
      edges: meta.edges,
      twin: join(work, 'plain/twin.js'),
      scratch: join(work, 'scratch'),
      targets: null,
      seed: 1,
      executionsMax: 1,
      corpora: {},
      shared: new SharedArrayBuffer(HEAD + INPUT_MAX),
      replay: { target, bytes: readFileSync(file) },
    },
  });
  const { fault } = await new Promise((resolved, rejected) => {
    worker.once('message', resolved);
    worker.once('error', rejected);
  });
  process.stdout.write(fault === null ? 'nothing wrong\n' : `${fault.kind}: ${fault.message}\n`);
  process.exitCode = fault === null ? 0 : 1;
}

function commitOf() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

if (flags.help) {
  process.stdout.write(`${USAGE}\n`);
} else {
  const meta = await bundle(work);
  const commit = commitOf();
  // Command lines that name files find and leave them here.
  mkdirSync(join(work, 'scratch/cli'), { recursive: true });
  process.chdir(join(work, 'scratch/cli'));
  if (flags.replay !== undefined) {
    await replay(meta, flags.replay);
  } else {
    const run = { commit, ...(await new Run(meta).go()) };
    process.stdout.write(describe(run));
    if (flags.report !== undefined) process.stdout.write(table(addRun(flags.report, run)));
    process.exitCode = run.findings.length > 0 ? 1 : 0;
  }
  process.exit();
}
