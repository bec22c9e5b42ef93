import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { outlineOf } from '../../../src/cli/describe/outline.js';
import { wholeProgram } from '../../../src/cli/program.js';
import { runCli } from '../../cli/memory-io.js';
import { testdata } from '../../support/testdata.js';
import { command, WORDS } from '../grammars.js';
import { archived } from '../seeds.js';
import { Broken, type Target } from '../target.js';

/** The only directory that command lines are let loose in: the process stands in it. */
const room = (workerData as { scratch?: string } | null)?.scratch ?? null;

const LOG = Buffer.concat([
  Buffer.from('#TS:1772366000\r\n'),
  ...['SELECT 0', 'SET a 1', 'RPUSH l a b', 'HSET h f v', 'MULTI', 'DEL a', 'EXEC', 'FLUSHALL'].map((line) =>
    command(line.split(' ')),
  ),
]);
const EXITS: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 130]);

/** Files for command lines to work on, as they are again before each. */
class Files {
  private readonly files = new Map<string, Buffer>();

  constructor(private readonly at: string) {
    const [small] = archived('corpus', /^small\.rdb$/);
    this.files.set('dump.rdb', small!);
    this.files.set('damaged.rdb', Buffer.from(small!).fill(0x7e, 300, 320));
    this.files.set('a.aof', LOG);
    this.files.set('torn.aof', LOG.subarray(0, -9));
    this.files.set(
      'x.log',
      Buffer.from('1:M 01 Mar 2026 12:00:00.000 # Bad file format reading the append only file\n'),
    );
    this.files.set('data/appendonlydir/appendonly.aof.1.incr.aof', LOG);
    this.files.set(
      'data/appendonlydir/appendonly.aof.manifest',
      Buffer.from('file appendonly.aof.1.incr.aof seq 1 type i\n'),
    );
    this.files.set('data/redis.conf', Buffer.from('appendonly yes\n'));
    this.files.set('rules.json', Buffer.from('{"verify":{"sources":[{"path":"dump.rdb","minKeys":1}]}}'));
  }

  /** Of the directory itself nothing changes: the process stands in it. */
  restore(): void {
    for (const name of readdirSync(this.at)) rmSync(join(this.at, name), { recursive: true, force: true });
    for (const [name, bytes] of this.files) {
      mkdirSync(join(this.at, name, '..'), { recursive: true });
      writeFileSync(join(this.at, name), bytes);
    }
  }
}

let files: Files | null = null;

/** Options that start programs, call other machines or never end. */
const BARRED = /^--?(on-failure|ping|follow|server|askpass|target|against|insecure|tls)/;

/** Words that can do no harm: no paths out of the room, no addresses, no programs. */
function tame(word: string): string | null {
  if (BARRED.test(word) || /^-[a-z]*f/i.test(word)) return null;
  const plain = word
    .replace(/[^\x20-\x7e]|[/\\]/g, '')
    .replace(/\.\.+/g, '.')
    .replace(/server/g, 'embedded');
  return plain.slice(0, 200);
}

const own = outlineOf(await wholeProgram());

function tokens(): Buffer[] {
  const options = [own.options, ...own.commands.map((each) => each.options)].flat();
  const words = [
    ...own.commands.map(({ name }) => name),
    ...options.flatMap(({ long, value }) =>
      value.kind === 'words' ? [long, ...value.words.flatMap((word) => [word, `${long}=${word}`])] : [long],
    ),
    ...[
      'dump.rdb',
      'damaged.rdb',
      'a.aof',
      'torn.aof',
      'data',
      'x.log',
      'rules.json',
      '-',
      '--',
      'new.rdb',
      'new.ndjson',
      'newdir',
      'missing',
    ],
    ...[
      '0',
      '1',
      '-1',
      '1e9',
      '99999999999999999999',
      '10mb',
      '15m',
      '2026-03-01',
      'user:*',
      'a',
      '0-16383',
      'slots:0-1,2-3',
      'count:2',
      'shift:10',
      'now:1',
      'a=b',
      '(',
      '[a',
      '%',
      '5%',
      '',
    ],
  ];
  return [...new Set(words)].map((word) => Buffer.from(word, 'latin1'));
}

/** The command lines of the goldens, over the files that are here. */
function lines(): Buffer[] {
  const found = new Set<string>();
  for (const name of readdirSync(testdata('cli'))) {
    const text = readFileSync(testdata('cli', name, 'cmd'), 'utf8').split('\n')[0]!;
    const words = text
      .split(' ')
      .slice(1)
      .map((word) => {
        if (!/[/]/.test(word)) return word.replace(/['"]/g, '');
        if (/\.rdb/.test(word)) return 'dump.rdb';
        return /\.aof/.test(word) ? 'a.aof' : 'data';
      });
    if (/^rekindle /.test(text)) found.add(words.join('\0'));
  }
  return [...found].map((line) => Buffer.from(line, 'latin1'));
}

const cli: Target = {
  name: 'cli',
  bytesMax: 300,
  weight: 2,
  tokens: tokens(),
  grammar: WORDS,
  seeds: lines,
  async run(bytes) {
    if (room === null) return;
    const place = join(room, 'cli');
    if (process.cwd() !== place) throw new Error('command lines run in a room of their own');
    (files ??= new Files(place)).restore();
    const argv = bytes
      .latin1Slice()
      .split('\0')
      .flatMap((word) => tame(word) ?? []);
    const { exit, stderr, stdout } = await runCli(argv, { stdin: LOG });
    if (!EXITS.has(exit))
      throw new Broken('exit codes are those of the contract', `${exit} ${argv.join(' ')}`);
    const internal = /internal error.*/.exec(stderr)?.[0];
    if (internal !== undefined)
      throw new Broken(`no internal error: ${internal.slice(0, 120).replace(/\d+/g, 'N')}`, argv);
    if (/[\x00-\x08\x0b-\x1f\x7f]/.test(stderr)) throw new Broken('no control bytes on standard error', argv);
    if (exit === 2 && !argv.includes('--json') && stdout.includes('Error'))
      throw new Broken('errors go to standard error', argv);
  },
};

export const targets: readonly Target[] = [cli];
