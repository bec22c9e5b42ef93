import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Ran, runCli } from '../cli/memory-io.js';
import { CORPUS_SERVERS, corpusPath, rdbCases } from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { temporaryDirectory } from '../support/temporary.js';
import { digestName } from '../support/verdict.js';

const room = temporaryDirectory('convert');
let places = 0;

/** A name that nothing stands under yet. */
function place(ending: string): string {
  mkdirSync(join(room, String(++places)));
  return join(room, String(places), `out${ending}`);
}

async function convert(...args: string[]): Promise<Ran> {
  const ran = await runCli(['convert', ...args]);
  expect(ran).toMatchObject({ exit: 0 });
  return ran;
}

async function digest(path: string, server = 'redis-7.0.15'): Promise<string> {
  const { stdout, exit } = await runCli(['digest', path, '--as', digestName(server)]);
  expect(exit).toBe(0);
  return stdout.trim();
}

/** The digest is what a server would say; times of expiry are not in it, and a diff sees every key by itself. */
async function expectSame(path: string, other: string, wanted: string, server: string): Promise<void> {
  if (THOROUGH)
    expect((await runCli(['diff', path, other])).stdout).toMatch(/^0 added, 0 removed, 0 changed/);
  expect(await digest(other, server)).toBe(wanted);
}

const TYPES = corpusPath('redis-7.0.15', 'types.rdb');
const TYPES_DIGEST = rdbCases('redis-7.0.15').find(({ name }) => name === 'types')!.truth.digest;

test('filters that mean no key of a source are warned of, and of no source end with 1', async () => {
  const [empty, out] = [corpusPath('redis-7.0.15', 'empty.rdb'), place('.rdb')];
  const small = corpusPath('redis-7.0.15', 'small.rdb');
  const warning = (path: string): string => `warning: no key of ${path} matches\n`;
  const nothing = await runCli(['convert', TYPES, small, out, '--match', 'none:*']);
  expect(nothing.exit).toBe(1);
  expect(nothing.stderr).toContain(warning(TYPES));
  expect(nothing.stderr).toContain(warning(small));
  expect((await runCli(['info', out, '--json'])).stdout).toContain('"keys": 0');
  const some = await runCli(['convert', TYPES, small, place('.rdb'), '--match', 'str:*']);
  expect(some).toMatchObject({ exit: 0, stderr: warning(small) });
  const large = await runCli(['convert', small, place('.ndjson'), '--min-size', '1gb']);
  expect(large).toMatchObject({ exit: 1, stderr: warning(small) });
  expect(await convert(empty, place('.rdb'), '--match', 'none:*')).toMatchObject({ stderr: '' });
});

describe.each(CORPUS_SERVERS)('a dataset of %s', (server) => {
  const cases = rdbCases(server).filter(({ name }) => THOROUGH || name === 'types');

  test.each(cases.map(({ name }) => name))(
    '%s is the same dataset in every form that is read',
    async (name) => {
      const { path } = cases.find((each) => each.name === name)!;
      const modern = /^(redis-([78]|255)|valkey)/.test(server);
      const wanted = await digest(path, server);
      const ndjson = place('.ndjson');
      await convert(path, ndjson);
      const back = place('.rdb');
      await convert(ndjson, back);
      await expectSame(path, back, wanted, server);
      if (!THOROUGH && server !== 'redis-7.0.15' && server !== 'redis-2.8.24') return;
      const aof = place('.aof');
      await convert(ndjson, aof);
      await expectSame(path, aof, wanted, server);
      if (!modern) return;
      const directory = place('');
      await convert(path, directory);
      expect(readdirSync(join(directory, 'appendonlydir')).sort()).toEqual([
        'appendonly.aof.1.base.rdb',
        'appendonly.aof.1.incr.aof',
        'appendonly.aof.manifest',
      ]);
      await expectSame(path, directory, wanted, server);
    },
  );
});

describe('one dataset in parts', () => {
  const sixteen = Array.from({ length: 16 }, (_, i) => `${i * 1024}-${i * 1024 + 1023}`);

  test.each(['count:16', 'db', `slots:${sixteen.join(',')}`, 'slots:0-99,100-8191,8192,8193-16383'])(
    'by %s is merged to the whole',
    async (split) => {
      const parts = place('.rdb');
      await convert(TYPES, parts, '--split', split);
      const files = readdirSync(join(parts, '..')).map((name) => join(parts, '..', name));
      expect(files.length).toBeGreaterThan(3);
      const whole = place('.rdb');
      await convert(...files, whole);
      expect(await digest(whole)).toBe(TYPES_DIGEST);
    },
  );

  test('is routed by the slots that servers give keys', async () => {
    const parts = place('.ndjson');
    const { stderr } = await convert(TYPES, parts, '--split', 'slots:0-8191', '--db', '0');
    expect(stderr).toMatch(/warning: \d+ keys in slots that no output of --split takes/);
    const name = readdirSync(join(parts, '..'));
    expect(name).toEqual(['out.0-8191.ndjson']);
    const { stdout } = await runCli(['digest', join(parts, '..', name[0]!), '--json']);
    const filtered = await runCli(['digest', TYPES, '--json', '--slot', '0-8191', '--db', '0']);
    expect(JSON.parse(stdout)).toMatchObject({ digest: JSON.parse(filtered.stdout).digest });
  });
});

const HEADER = '{"rekindle":1,"origin":[["redis-ver","7.2.4"],["ctime","1772366400"]]}';

/** Writes lines of NDJSON, converts them and returns the lines that come out, parsed, without the first. */
async function through(lines: readonly string[], ...flags: string[]): Promise<Record<string, unknown>[]> {
  const from = place('.ndjson');
  writeFileSync(from, [HEADER, ...lines].join('\n'));
  const { stdout } = await convert(from, '-', '--to', 'ndjson', ...flags);
  return parsed(stdout);
}

const parsed = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(Buffer.from(line, 'latin1').toString()));

const string = (key: string, db = 0, rest = ''): string =>
  `{"db":${db},"key":"${key}","type":"string"${rest},"value":"${key}"}`;

describe('on the way', () => {
  test('TTLs are stripped, shifted, or kept as what was left', async () => {
    const lines = [
      string('k', 0, ',"expiresAtMs":1772366401500'),
      '{"key":"h","type":"hash","value":[["f","v",1772366402000],["g","w"]]}',
      string('none'),
    ];
    const times = async (ttl: string) =>
      (await through(lines, '--ttl', ttl)).map(({ expiresAtMs, value }) => expiresAtMs ?? value);
    expect(await times('strip')).toEqual([
      'k',
      [
        ['f', 'v'],
        ['g', 'w'],
      ],
      'none',
    ]);
    const hash = (ms: number) => [
      ['f', 'v', ms],
      ['g', 'w'],
    ];
    expect(await times('shift:10.5')).toEqual([1772366412000, hash(1772366412500), 'none']);
    expect(await times('shift:-10')).toEqual([1772366391500, hash(1772366392000), 'none']);
    expect(await times('now:1772366500')).toEqual([1772366501500, hash(1772366502000), 'none']);
  });

  test('keys get other names and databases', async () => {
    const lines = [
      string('user:1'),
      string('user:2', 3),
      '{"key":{"base64":"dXNlcjr/"},"type":"list","value":["a"]}',
    ];
    const told = await through(lines, '--rename', '^user:(.*)=u{$1}', '--rename', '2=two', '--map-db', '3=7');
    expect(told.map(({ db, key }) => [db, key])).toEqual([
      [0, 'u{1}'],
      [7, 'u{two}'],
      [0, { base64: Buffer.from('u{\xff}', 'latin1').toString('base64') }],
    ]);
  });

  test('keys that become one are refused, or one is kept', async () => {
    const lines = [string('a'), string('b', 1), string('c')];
    const from = place('.ndjson');
    writeFileSync(from, [HEADER, ...lines].join('\n'));
    const out = place('.ndjson');
    const refused = await runCli(['convert', from, out, '--rename', '[ac]=x', '--map-db', '1=0']);
    expect(refused).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('key x of database 0 comes twice'),
    });
    expect(existsSync(out)).toBe(false);
    const kept = await through(lines, '--rename', '[ac]=x', '--on-duplicate', 'first');
    expect(kept.map(({ value }) => value)).toEqual(['a', 'b']);
  });

  test('of several sources the first or the last wins', async () => {
    const [one, two] = [place('.ndjson'), place('.ndjson')];
    writeFileSync(one, [HEADER, string('a'), string('k', 0, ',"freq":1')].join('\n'));
    writeFileSync(two, [HEADER, string('b'), string('k', 0, ',"freq":2')].join('\n'));
    const freq = async (...flags: string[]) => {
      const { stdout } = await convert(one, two, '-', '--to', 'ndjson', ...flags);
      return parsed(stdout).map(({ key, freq }) => `${key}${freq ?? ''}`);
    };
    expect((await freq('--on-duplicate', 'first')).sort()).toEqual(['a', 'b', 'k1']);
    expect((await freq('--on-duplicate', 'last')).sort()).toEqual(['a', 'b', 'k2']);
    expect((await runCli(['convert', one, two, '-', '--to', 'json'])).exit).toBe(2);
  });

  test('functions of several sources come once', async () => {
    const { stdout } = await convert(
      TYPES,
      corpusPath('redis-7.0.15', 'types-nocompress.rdb'),
      '-',
      '--to',
      'ndjson',
      '--on-duplicate',
      'first',
    );
    const names = parsed(stdout).flatMap(
      ({ function: code }) => /name=(\w+)/.exec(String(code ?? ''))?.[1] ?? [],
    );
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('what another server has no place for', () => {
  const newer = corpusPath('redis-7.4.1', 'types.rdb');

  test('is listed, and written without it', async () => {
    const out = place('.rdb');
    const { stdout } = await convert(newer, out, '--for', 'redis-2.8', '--json');
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ ok: true, for: 'redis-2.8', form: 'rdb' });
    const kinds = new Set(report.lost.map(({ what }: { what: string }) => what));
    expect(kinds).toEqual(
      new Set(['function', 'stream', 'field-expiry', ...(kinds.has('module') ? ['module'] : [])]),
    );
    expect(report.lost.length).toBe(report.lostCount);
    expect(readFileSync(out).latin1Slice(0, 9)).toBe('REDIS0006');
    expect((await runCli(['check', out])).exit).toBe(0);
  });

  test('is refused with --strict, and nothing is written', async () => {
    const out = place('.rdb');
    const refused = await runCli(['convert', newer, out, '--for', 'redis-2.8', '--strict']);
    expect(refused).toMatchObject({ exit: 1, stderr: expect.stringContaining('nothing was written') });
    expect(readdirSync(join(out, '..'))).toEqual([]);
  });
});

test('TTLs of members, as KeyDB has them, come along and change with the others', async () => {
  const from = place('.ndjson');
  const origin = '{"rekindle":1,"origin":[["redis-ver","6.3.4"]]}';
  const member = '{"memberExpiry":["a",1772366402000]}';
  writeFileSync(from, [origin, '{"key":"s","type":"set","value":["a","b"]}', member, string('t')].join('\n'));
  const rdb = place('.rdb');
  await convert(from, rdb, '--for', 'keydb-6.3');
  const told = async (...args: string[]) => {
    const { stdout } = await convert(...args.slice(0, 1), '-', '--to', 'ndjson', ...args.slice(1));
    return parsed(stdout).flatMap(({ memberExpiry }) => memberExpiry ?? []);
  };
  expect(await told(rdb)).toEqual(['a', 1772366402000]);
  expect(await told(rdb, '--ttl', 'shift:1')).toEqual(['a', 1772366403000]);
  expect(await told(rdb, '--ttl', 'strip')).toEqual([]);
  expect(await told(rdb, '--match', 't')).toEqual([]);
  const log = place('.aof');
  await convert(rdb, log, '--for', 'keydb-6.3', '--to', 'resp');
  expect(await told(log)).toEqual(['a', 1772366402000]);
  const { stdout } = await convert(rdb, place('.rdb'), '--for', 'redis-7.0', '--json');
  expect(JSON.parse(stdout).lost).toMatchObject([{ what: 'member-expiry' }]);
});

test.each(['gz', 'lz4'])('outputs are compressed as .%s, parts too, and read as they are', async (ending) => {
  const parts = place(`.rdb.${ending}`);
  await convert(TYPES, parts, '--split', 'slots:0-8191,8192-16383');
  const names = readdirSync(join(parts, '..')).sort();
  expect(names).toEqual([`out.0-8191.rdb.${ending}`, `out.8192-16383.rdb.${ending}`]);
  const whole = place(`.ndjson.${ending}`);
  await convert(...names.map((name) => join(parts, '..', name)), whole);
  expect(await digest(whole)).toBe(TYPES_DIGEST);
  const { stdout } = await convert(whole, '-', '--to', 'rdb', '--compress', ending);
  const back = place('');
  writeFileSync(back, Buffer.from(stdout, 'latin1'));
  expect(await digest(back)).toBe(TYPES_DIGEST);
});

test('an RDB goes into a compressed stream, and comes out of it', async () => {
  const packed = place('.rdb');
  await convert(TYPES, packed, '--for', 'valkey-9.1', '--vcs');
  expect(readFileSync(packed).latin1Slice(0, 3)).toBe('VCS');
  expect((await runCli(['check', packed])).exit).toBe(0);
  const plain = place('.rdb');
  await convert(packed, plain, '--for', 'redis-7.0');
  expect(await digest(plain)).toBe(TYPES_DIGEST);
});

describe('what cannot be', () => {
  test.each([
    ['an output that exists', [TYPES, place('.rdb'), '--to', 'json'], 2, /exists/],
    ['no output', [TYPES], 2, /an output is missing/],
    ['an ending that says nothing', [TYPES, place('.xls')], 2, /nothing is written as \.xls/],
    ['standard output without a form', [TYPES, '-'], 2, /--to rdb\|aof/],
    ['a report in place of the output', [TYPES, '-', '--to', 'csv', '--json'], 2, /--json/],
    ['a directory on standard output', [TYPES, '-', '--to', 'aofdir'], 2, /directory/],
    ['several outputs on standard output', [TYPES, '-', '--to', 'csv', '--split', 'db'], 2, /--split/],
    ['a server for a form of none', [TYPES, place('.csv'), '--for', 'redis-7.0'], 2, /none loads csv/],
    ['a directory for a server that has none', [TYPES, place(''), '--for', 'redis-6.2'], 2, /no append-only/],
    ['a compressed stream for Redis', [TYPES, place('.rdb'), '--vcs'], 2, /does not read compressed streams/],
    ['a compressed stream of lines', [TYPES, place('.json'), '--vcs'], 2, /--vcs is a form of RDBs/],
    ['a compressed directory', [TYPES, place(''), '--compress', 'gz'], 2, /directory is not compressed/],
    [
      'a compressed stream compressed',
      [TYPES, place('.rdb.gz'), '--vcs', '--for', 'valkey-9.1'],
      2,
      /already/,
    ],
    ['a way to compress that is none', [TYPES, place('.rdb'), '--compress', 'xz'], 2, /--compress/],
    ['an ending that says only how', [TYPES, place('.gz')], 2, /nothing is written as \.gz/],
    ['slots in two ranges', [TYPES, place('.rdb'), '--split', 'slots:0-5,5-9'], 2, /two ranges/],
    ['slots that are none', [TYPES, place('.rdb'), '--split', 'slots:0-16384'], 2, /no range of slots/],
    ['a change of TTLs that is none', [TYPES, place('.rdb'), '--ttl', 'shift:soon'], 2, /--ttl/],
    ['an expression that is none', [TYPES, place('.rdb'), '--rename', '(=x'], 2, /not a regular expression/],
    ['a source as its output', [TYPES, TYPES, '--force'], 2, /source/],
    ['a source that is not there', [join(room, 'none.rdb'), place('.json')], 3, /no such file/],
  ])('%s', async (what, args, exit, message) => {
    if (what === 'an output that exists') writeFileSync(args[1]!, '');
    const ran = await runCli(['convert', ...args]);
    expect(ran).toMatchObject({ exit, stderr: expect.stringMatching(message) });
  });

  test('a line that describes no key names itself, and leaves nothing behind', async () => {
    const from = place('.ndjson');
    writeFileSync(from, [HEADER, string('a'), '{"key":"b","type":"set","value":["x",5]}'].join('\n'));
    const out = place('.rdb');
    const ran = await runCli(['convert', from, out]);
    expect(ran.exit).toBe(1);
    expect(ran.stderr).toContain('ndjson/bad-line');
    expect(ran.stderr).toMatch(/line 3, field value\[1\], expected a string/);
    expect(readdirSync(join(out, '..'))).toEqual([]);
  });

  test('NDJSON that does not say for whom', async () => {
    const from = place('.ndjson');
    writeFileSync(from, `{"rekindle":1}\n${string('a')}\n`);
    expect(await runCli(['convert', from, place('.rdb')])).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('--for'),
    });
    await convert(from, place('.rdb'), '--for', 'redis-7.2');
    expect(await runCli(['check', from])).toMatchObject({
      exit: 3,
      stderr: expect.stringContaining('rekindle convert'),
    });
  });
});
