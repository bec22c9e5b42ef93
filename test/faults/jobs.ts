import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { formatManifest } from '../../src/aof/manifest.js';
import { type Ran, runCli } from '../cli/memory-io.js';
import { corpusBytes, corpusPath } from '../support/corpus.js';
import { resp } from '../support/resp.js';
import { tar } from '../support/tar-writer.js';

/** Where a job runs: what it reads, what it writes, and its temporary files, apart from each other. */
export interface Room {
  readonly path: string;
  readonly in: string;
  readonly out: string;
  readonly tmp: string;
}

/** A command line that writes something. */
export interface Job {
  readonly name: string;
  /** Below `in`; their bytes stay what they are unless `inPlace`. */
  readonly lay: (room: Room) => void;
  readonly argv: (room: Room) => readonly string[];
  readonly stdin?: () => Uint8Array;
  /** What a run without a fault ends with. */
  readonly exit: number;
  /** Changes its input, behind a backup. */
  readonly inPlace?: boolean;
  /** Goes on without a file that cannot be read, and says so. */
  readonly goesOn?: boolean;
  /** Writes nothing that stays. */
  readonly readsOnly?: boolean;
  /** Directories below `out` that are whole as such; everything else there is by the file. */
  readonly whole?: readonly string[];
  /** What stands below `out` before. */
  readonly before?: (room: Room) => void;
}

export function emptyRoom(path: string): Room {
  rmSync(path, { recursive: true, force: true });
  const room = { path, in: join(path, 'in'), out: join(path, 'out'), tmp: join(path, 'tmp') };
  for (const each of [room.in, room.out, room.tmp]) mkdirSync(each, { recursive: true });
  return room;
}

/** Runs a job in its room, with temporary files there too. */
export async function runJob(job: Job, room: Room): Promise<Ran> {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = room.tmp;
  try {
    return await runCli(job.argv(room), job.stdin === undefined ? {} : { stdin: job.stdin() });
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}

const line = (name: string, seq: number, type: 'b' | 'i') => ({ name: `a.aof.${name}`, seq, type });
const SMALL = (): Buffer => corpusBytes('redis-7.0.15', 'small.rdb');

const rdb = (room: Room): void => writeFileSync(join(room.in, 'dump.rdb'), SMALL());

function damagedRdb(room: Room): void {
  const bytes = Buffer.from(SMALL());
  bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 4);
  writeFileSync(join(room.in, 'dump.rdb'), bytes);
}

/** A log of a base and two increments; `damage` stands in the middle of the first increment. */
function log(room: Room, damage: string): void {
  const folder = join(room.in, 'appendonlydir');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.aof.1.base.rdb'), SMALL());
  const first = `${resp('SELECT 0', '#TS:1700000000', 'SET a 1')}${damage}${resp('SET b 2')}`;
  writeFileSync(join(folder, 'a.aof.1.incr.aof'), first);
  writeFileSync(
    join(folder, 'a.aof.2.incr.aof'),
    resp('SELECT 0', '#TS:1700000100', 'SET a 3', 'DEL b', 'SET c 3'),
  );
  const increments = [line('1.incr.aof', 1, 'i'), line('2.incr.aof', 2, 'i')];
  writeFileSync(
    join(folder, 'a.aof.manifest'),
    formatManifest({ base: line('1.base.rdb', 1, 'b'), increments }),
  );
}

const intactLog = (room: Room): void => log(room, '');
const damagedLog = (room: Room): void => log(room, '!!');

function lostManifest(room: Room): void {
  log(room, '');
  rmSync(join(room.in, 'appendonlydir', 'a.aof.manifest'));
}

const single =
  (tail: string) =>
  (room: Room): void =>
    writeFileSync(
      join(room.in, 'appendonly.aof'),
      `${resp('SELECT 0', '#TS:1700000000', 'SET a 1', '#TS:1700000100', 'SET b 2')}${tail}`,
    );

function twoDumps(room: Room): void {
  rdb(room);
  cpSync(corpusPath('redis-7.0.15', 'types.rdb'), join(room.in, 'new.rdb'));
}

const inIn =
  (name: string) =>
  ({ in: path }: Room): string =>
    join(path, name);
const DUMP = inIn('dump.rdb');
const AOF = inIn('appendonly.aof');

const repair = (name: string, rest: Omit<Job, 'name' | 'exit'> & { readonly exit?: number }): Job => ({
  name: `repair ${name}`,
  exit: 0,
  ...rest,
});

const REPAIRS: readonly Job[] = [
  repair('(plan)', { lay: damagedLog, argv: (room) => ['repair', room.in], exit: 1, readsOnly: true }),
  repair('--out of a set', {
    lay: damagedLog,
    argv: (room) => ['repair', room.in, '--out', join(room.out, 'data')],
    whole: ['data'],
  }),
  repair('--out --link --quarantine of a set', {
    lay: damagedLog,
    argv: (room) => [
      ...['repair', room.in, '--link', '--out', join(room.out, 'data')],
      ...['--quarantine', join(room.out, 'lost')],
    ],
    whole: ['data'],
  }),
  repair('--strategy skip of a file', {
    lay: single('!!'),
    argv: (room) => ['repair', AOF(room), '--strategy', 'skip', '--out', join(room.out, 'fixed.aof')],
  }),
  repair('--out of an RDB, replacing', {
    lay: damagedRdb,
    argv: (room) => ['repair', DUMP(room), '--out', join(room.out, 'fixed.rdb'), '--force'],
    before: (room) => writeFileSync(join(room.out, 'fixed.rdb'), 'what stood there'),
  }),
  repair('--out of a lost manifest', {
    lay: lostManifest,
    argv: (room) => ['repair', room.in, '--out', join(room.out, 'data')],
    whole: ['data'],
  }),
  repair('--in-place of a set', {
    lay: damagedLog,
    argv: (room) => ['repair', room.in, '--in-place', '--yes', '--quarantine', join(room.out, 'lost')],
    inPlace: true,
  }),
  repair('--in-place --strategy skip of a set', {
    lay: damagedLog,
    argv: (room) => ['repair', room.in, '--in-place', '--yes', '--strategy', 'skip'],
    inPlace: true,
  }),
  repair('--in-place of a lost manifest', {
    lay: lostManifest,
    argv: (room) => ['repair', room.in, '--in-place', '--yes'],
    inPlace: true,
  }),
  repair('--in-place of an RDB', {
    lay: damagedRdb,
    argv: (room) => ['repair', DUMP(room), '--in-place', '--yes'],
    inPlace: true,
  }),
];

const convert = (out: string, more: readonly string[] = [], rest: Partial<Job> = {}): Job => ({
  name: `convert ${[out, ...more].join(' ')}`,
  lay: rdb,
  argv: (room) => ['convert', DUMP(room), join(room.out, out), ...more],
  exit: 0,
  ...rest,
});

const CONVERSIONS: readonly Job[] = [
  convert('out.rdb'),
  convert('out.aof'),
  convert('out.resp'),
  convert('out.ndjson'),
  convert('out.ndjson.gz'),
  convert('out.json.lz4'),
  convert('out.csv'),
  convert('out.parquet'),
  convert('data', ['--to', 'aofdir'], { whole: ['data'] }),
  convert('out.rdb', ['--split', 'slots:0-8191,8192-16383']),
  convert('out.rdb', ['--force'], {
    before: (room) => writeFileSync(join(room.out, 'out.rdb'), 'what stood there'),
  }),
  convert('data', ['--to', 'aofdir', '--force'], {
    before: (room) => {
      mkdirSync(join(room.out, 'data'));
      writeFileSync(join(room.out, 'data', 'note'), 'what stood there');
    },
    whole: ['data'],
  }),
  {
    name: 'convert - (gzip)',
    lay: () => {},
    stdin: () => gzipSync(SMALL()),
    argv: (room) => ['convert', '-', join(room.out, 'out.ndjson')],
    exit: 0,
  },
  {
    name: 'convert of a packed archive',
    lay: (room) => {
      const archive = tar([{ name: 'data/dump.rdb', bytes: SMALL() }]);
      writeFileSync(join(room.in, 'backup.tar.gz'), gzipSync(archive));
    },
    argv: (room) => ['convert', join(room.in, 'backup.tar.gz'), join(room.out, 'out.rdb')],
    exit: 0,
  },
];

const replay = (name: string, more: (room: Room) => readonly string[], rest: Partial<Job> = {}): Job => ({
  name: `replay ${name}`,
  lay: intactLog,
  argv: (room) => ['replay', room.in, ...more(room)],
  exit: 0,
  ...rest,
});

const REPLAYS: readonly Job[] = [
  replay('--out .rdb', (room) => ['--out', join(room.out, 'out.rdb')]),
  replay('--out .aof', (room) => ['--out', join(room.out, 'out.aof')]),
  replay('--out .resp', (room) => ['--out', join(room.out, 'out.resp'), '--until-command', '3']),
  replay('--out DIR', (room) => ['--out', join(room.out, 'data')], { whole: ['data'] }),
  replay('--no-execute', (room) => ['--no-execute', '--before', 'DEL b', '--out', join(room.out, 'data')], {
    whole: ['data'],
  }),
  replay('--undo', (room) => ['--undo', 'DEL b', '--out', join(room.out, 'b.rdb')]),
  replay('(nowhere)', () => [], { readsOnly: true }),
];

const OTHERS: readonly Job[] = [
  {
    name: 'compact --out DIR',
    lay: intactLog,
    argv: (room) => ['compact', room.in, '--out', join(room.out, 'data')],
    exit: 0,
    whole: ['data'],
  },
  {
    name: 'compact --out .aof',
    lay: single(''),
    argv: (room) => ['compact', AOF(room), '--out', join(room.out, 'small.aof'), '--for', 'redis-6.2'],
    exit: 0,
  },
  {
    name: 'diff --patch',
    lay: twoDumps,
    argv: (room) => ['diff', DUMP(room), join(room.in, 'new.rdb'), '--patch', join(room.out, 'patch.resp')],
    exit: 1,
  },
  {
    name: 'diff --memory',
    lay: twoDumps,
    argv: (room) => ['diff', DUMP(room), join(room.in, 'new.rdb'), '--summary', '--memory', '1kb'],
    exit: 1,
    readsOnly: true,
  },
  {
    name: 'check-aof --fix',
    lay: single('*2\r\n$3\r\nDEL'),
    argv: (room) => ['check-aof', '--fix', '--yes', AOF(room)],
    exit: 0,
    inPlace: true,
  },
  {
    name: 'check-aof --truncate-to-timestamp',
    lay: single(''),
    argv: (room) => ['check-aof', '--truncate-to-timestamp', '1700000050', AOF(room)],
    exit: 0,
    inPlace: true,
  },
  {
    name: 'recover --out --evidence',
    lay: lostManifest,
    argv: (room) => [
      ...['recover', room.in, '--out', join(room.out, 'data')],
      ...['--evidence', join(room.out, 'evidence.json')],
    ],
    exit: 0,
    goesOn: true,
    whole: ['data'],
  },
  {
    name: 'verify --state --prometheus --evidence',
    lay: rdb,
    argv: (room) => [
      ...['verify', DUMP(room), '--state', join(room.out, 'state.json')],
      ...['--prometheus', join(room.out, 'm.prom'), '--evidence', join(room.out, 'evidence.json')],
    ],
    exit: 0,
  },
  {
    name: 'report -o',
    lay: intactLog,
    argv: (room) => ['report', room.in, '-o', join(room.out, 'report.html')],
    exit: 0,
  },
];

const reads = (command: string, lay: Job['lay'], ...words: readonly string[]): Job => ({
  name: [command, ...words].join(' '),
  lay,
  argv: (room) => [command, ...words.map((word) => word.replace('IN', room.in))],
  exit: 0,
  readsOnly: true,
});

/** Commands that leave nothing behind: a test holds them to it. */
const READERS: readonly Job[] = [
  reads('check', intactLog, 'IN'),
  reads('check-aof', single(''), 'IN/appendonly.aof'),
  reads('check-rdb', rdb, 'IN/dump.rdb'),
  reads('info', intactLog, 'IN'),
  reads('memory', rdb, 'IN/dump.rdb', '--csv', 'keys'),
  reads('digest', intactLog, 'IN'),
  reads('history', intactLog, 'IN', 'a'),
  reads('log', intactLog, 'IN', '--json'),
  { ...reads('recover', lostManifest, 'IN'), exit: 1, goesOn: true },
  { ...reads('doctor', intactLog, 'IN'), goesOn: true },
  reads('verify', rdb, 'IN/dump.rdb', '--drill', 'embedded'),
  { ...reads('explore', intactLog, 'IN'), exit: 2 },
  reads('completion', () => {}, 'bash'),
];

export const JOBS: readonly Job[] = [...REPAIRS, ...CONVERSIONS, ...REPLAYS, ...OTHERS, ...READERS];

/** Options that name something to be written, of each command that has some. */
export const WRITING_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  'check-aof': ['--fix', '--truncate-to-timestamp'],
  repair: ['--out', '--in-place', '--quarantine', '--link'],
  convert: ['--resume', '--split', '--compress'],
  diff: ['--patch'],
  replay: ['--out', '--resume', '--no-execute', '--undo'],
  recover: ['--out', '--evidence'],
  compact: ['--out'],
  verify: ['--state', '--lock', '--prometheus', '--evidence'],
  report: ['--out'],
};
