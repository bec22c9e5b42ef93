import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { THOROUGH } from '../support/effort.js';
import { RdbBuilder } from '../support/rdb-builder.js';
import { len, str, u8 } from '../support/rdb-bytes.js';
import { temporaryDirectory } from '../support/temporary.js';

// Names and values that would like to be something else where they are shown: escape sequences, lines of ours, markup,
// formulas, commands of a shell. Every command gets them, in every form of output.

/** Each ends in a mark by which it is found again. */
const HOSTILE: readonly string[] = [
  '\x1b]0;EVIL\x07\x1b[2J\x1b[31mEVIL',
  'a\r\nFAKE: all is well EVIL',
  '\u009b31mEVIL\u202e\u2066',
  '\u2028\u2029\ufeffEVIL\x7f\b\b\b',
  '</script><script>alert(1)</script><img src=x onerror=alert(1)>EVIL',
  "=cmd|' /C calc'!A0EVIL",
  '+1+EVIL',
  '-1+EVIL',
  '@SUM(1)EVIL',
  '\t=1+EVIL',
  '\r=1+EVIL',
  '"} 1\nfake_metric{x="EVIL',
  "';touch pwned;'$(touch pwned)`touch pwned`EVIL",
  '__proto__',
  'constructor',
  '\\x1b[31m%s%nEVIL',
];
const BINARY = Buffer.from('\xff\xfe\x1b[31mEVIL\x9b', 'latin1');

/** A file name that a shell would act on and a terminal, too. */
const NAME = "it's $(touch pwned);`touch pwned`\x1b[31m\nFAKE: x\u202e.rdb";

const home = temporaryDirectory('injection');
const place = (...names: string[]) => join(home, ...names);

function argument(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}

const command = (...words: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.map(argument)]);

beforeAll(() => {
  const rdb = new RdbBuilder('REDIS0011').aux('redis-ver', HOSTILE[0]!);
  for (const text of HOSTILE.slice(0, 8)) rdb.aux(text, text);
  rdb.library(`#!lua name=EVIL\n${HOSTILE.join('')}`);
  rdb.database(0);
  for (const [i, text] of [...HOSTILE, BINARY].entries()) {
    rdb.raw(u8(0), str(text), str(text));
    rdb.raw(u8(1), str(`list${i}`), len(1), str(text));
    rdb.raw(u8(2), str(`set${i}`), len(1), str(text));
    rdb.raw(u8(4), str(`hash${i}`), len(1), str(text), str(text));
  }
  const intact = rdb.end();
  writeFileSync(place('dump.rdb'), intact);
  writeFileSync(place(NAME), intact);
  writeFileSync(place('torn.rdb'), intact.subarray(0, intact.length - 20));
  const broken = Buffer.from(intact);
  broken[broken.length - 100] = broken[broken.length - 100]! ^ 0xff;
  writeFileSync(place('broken.rdb'), broken);
  const commands = HOSTILE.flatMap((text) => [
    command('SET', text, text),
    command('HSET', 'h', text, BINARY),
  ]);
  const unknown = HOSTILE.map((text) => command(text, 'key', text));
  writeFileSync(
    place('log.aof'),
    Buffer.concat([command('SELECT', '0'), ...commands, command('DEL', HOSTILE[0]!)]),
  );
  writeFileSync(place('unknown.aof'), Buffer.concat([...commands, ...unknown]));
  writeFileSync(
    place('damaged.aof'),
    Buffer.concat([...commands, BINARY, Buffer.from(HOSTILE.join('')), ...commands]),
  );
  mkdirSync(place('data', 'appendonlydir'), { recursive: true });
  writeFileSync(place('data', 'appendonlydir', 'a.aof.1.incr.aof'), command('SET', 'a', '1'));
  const lines = [
    'file a.aof.1.incr.aof seq 1 type i',
    `file "\\x1b[31mEVIL.aof" seq 2 type i`,
    `${HOSTILE.join('')}`,
  ];
  writeFileSync(place('data', 'appendonlydir', 'a.aof.manifest'), `${lines.join('\n')}\n`);
  writeFileSync(place('data', 'redis.conf'), `appendonly yes\nlogfile "${HOSTILE[0]}"\ndir ${HOSTILE[4]}\n`);
  writeFileSync(place('data', 'dump.rdb'), intact);
  writeFileSync(place('data', `temp-${NAME}`), intact);
  const head = '1234:M 01 Jan 2026 00:00:00.000 #';
  const server = HOSTILE.flatMap((text) => [
    `${head} Bad file format reading the append only file ${text}: make a backup`,
    `${head} ${text}`,
    `${head} Can't open the append-only file ${text}: ${text}`,
  ]);
  writeFileSync(place('server.log'), `${server.join('\n')}\n`);
  writeFileSync(
    place('lines.ndjson'),
    `{"rekindle":1}\n{"key":"${'\\u001b]0;EVIL\\u0007'}","type":"str\u009bing"}\n`,
  );
});

const SOURCES = [
  'dump.rdb',
  NAME,
  'torn.rdb',
  'broken.rdb',
  'log.aof',
  'unknown.aof',
  'damaged.aof',
  'data',
  'lines.ndjson',
];

const COMMANDS: readonly (readonly string[])[] = [
  ['check', 'IN'],
  ['check-aof', 'IN'],
  ['check-rdb', 'IN'],
  ['repair', 'IN'],
  ['repair', 'IN', '--strategy', 'skip'],
  ['info', 'IN', '--verbose'],
  ['memory', 'IN'],
  ['memory', 'IN', '--csv', 'keys'],
  ['memory', 'IN', '--csv', 'prefixes'],
  ['diff', 'IN', 'OTHER', '--values'],
  ['digest', 'IN', '--per-key'],
  ['replay', 'IN', '--on-unknown', 'skip'],
  ['history', 'IN', '*'],
  ['history', 'IN', HOSTILE[0]!],
  ['log', 'IN'],
  ['log', 'IN', '--stats'],
  ['log', 'IN', '--dangerous'],
  ['recover', 'IN'],
  ['verify', 'IN', '--name', HOSTILE[0]!],
  ['verify', 'IN', '--format', 'nagios', '--require', `${HOSTILE[11]}:5`],
  ['doctor', 'IN'],
  ['convert', 'IN', '-', '--to', 'csv'],
  ['compact', 'IN', '--out', 'INSIDE'],
];

/** Control characters, of C1 and those that turn text around too, in what is no data. */
const RAW = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

function expectHarmless(argv: readonly string[], text: string): void {
  const shown = argv.join(' ');
  const raw = RAW.exec(text);
  if (raw !== null) {
    expect.fail(`${shown}: ${JSON.stringify(text.slice(Math.max(0, raw.index - 80), raw.index + 40))}`);
  }
  const fake = text.split('\n').find((line) => /^\s*(FAKE|fake_metric)/.test(line));
  if (fake !== undefined) expect.fail(`${shown}: ${fake}`);
}

const withPaths = (argv: readonly string[], source: string): string[] =>
  argv.map((word) =>
    word
      .replace(/^IN$/, place(source))
      .replace(/^OTHER$/, place('log.aof'))
      .replace(/^INSIDE$/, place('data', 'x')),
  );

describe.each(SOURCES.map((source, i) => [source.replace(/[^\x20-\x7e]/g, '.'), source, i] as const))(
  '%s',
  (_shown, source, number) => {
    it.each(
      COMMANDS.filter((_argv, i) => THOROUGH || (i + number) % 3 === 0).map(
        (argv) =>
          [
            argv
              .slice(0, 3)
              .join(' ')
              .replace(/[^\x20-\x7e]/g, '.'),
            argv,
          ] as const,
      ),
    )('%s shows nothing as it stands', async (_title, argv) => {
      const words = withPaths(argv, source);
      const text = await runCli(words);
      // CSV has its own rules: cells hold what the dataset holds, in quotes.
      const isCsv = words.includes('csv') || words.includes('--csv');
      if (!isCsv) expectHarmless(words, text.stdout);
      if (isCsv) expectNoFormulas(words, Buffer.from(text.stdout, 'latin1').toString());
      expectHarmless(words, text.stderr);
      expect(text.stderr).not.toContain('internal error');
      if (isCsv || argv[0] === 'verify') return;
      const json = await runCli([...words, '--json']);
      expectHarmless(words, Buffer.from(json.stdout, 'utf8').toString());
      expectHarmless(words, json.stderr);
      expectNoCommands(text.both);
    });
  },
);

/** No cell that a spreadsheet takes for a formula, numbers aside. */
function expectNoFormulas(argv: readonly string[], csv: string): void {
  for (const [, quoted, plain] of csv.matchAll(/(?:^|,|\r\n)(?:"((?:[^"]|"")*)"|([^,\r\n"]*))/g)) {
    const cell = quoted ?? plain ?? '';
    if (/^[=+\-@\t\r]/.test(cell) && !/^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(cell)) {
      expect.fail(`${argv.join(' ')}: ${JSON.stringify(cell)}`);
    }
  }
}

/** Commands that are printed to be copied run what they say and nothing that a name holds. */
function expectNoCommands(text: string): void {
  const lines = text.split('\n').map((line) => line.trim());
  const printed = lines.filter(
    (line) =>
      /^rekindle (check|repair|recover|replay|info|convert|verify) /.test(line) && line.includes('pwned'),
  );
  if (printed.length === 0) return;
  const script = `rekindle() { :; }\n${printed.join('\n')}\n`;
  execFileSync('/bin/bash', ['-c', script], { cwd: home, stdio: 'ignore' });
  expect(existsSync(place('pwned')), printed.join('\n')).toBe(false);
}

it('a log of a server is read without showing it as it stands', async () => {
  for (const form of [[], ['--json']]) {
    const { both } = await runCli(['doctor', place('server.log'), ...form]);
    expectHarmless(['doctor', ...form], both);
    expect(both).toContain('EVIL');
  }
});

it('a terminal sees no escape sequence but ours', async () => {
  const { both } = await runCli(['check', place('broken.rdb'), place('damaged.aof'), place(NAME)], {
    terminal: true,
  });
  expectHarmless(['check'], both.replace(/\x1b\[[\d;]*[mK]|\r/g, ''));
  expect(both).not.toMatch(/\x1b\[31mEVIL/);
});

it('metrics are lines of metrics alone', async () => {
  const path = place('metrics.prom');
  const name = HOSTILE[11]!;
  await runCli([
    'verify',
    place('dump.rdb'),
    '--name',
    name,
    '--require',
    `${name}*:1`,
    '--prometheus',
    path,
  ]);
  for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) {
    expect(line).toMatch(
      /^(# (HELP|TYPE) \w+ .*|rekindle_\w+(\{(\w+="([^"\\\n]|\\[\\"n])*",?)*\})? -?[\d.e+]+|rekindle_\w+.* NaN)$/,
    );
  }
});

it('a report holds no markup but its own', async () => {
  for (const source of ['dump.rdb', 'log.aof', NAME]) {
    const path = place('report.html');
    const ran = await runCli(['report', place(source), '-o', path, '--force']);
    expect([ran.exit, ran.stderr.includes('internal')]).toEqual([0, false]);
    const page = readFileSync(path, 'utf8');
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(page).not.toMatch(/<img/);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toContain('unsafe-inline');
  }
});

it('names that JavaScript knows are names like others', async () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const log = names.flatMap((name) => [command('SET', name, name), command('HSET', `h:${name}`, name, name)]);
  writeFileSync(place('names.aof'), Buffer.concat([command('SELECT', '0'), ...log]));
  const digestOf = async (path: string) => (await runCli(['digest', path])).stdout.slice(0, 40);
  const expected = await digestOf(place('names.aof'));
  for (const out of ['names.ndjson', 'names.rdb', 'names.json']) {
    const ran = await runCli([
      'convert',
      place('names.aof'),
      place(out),
      '--force',
      ...(out.endsWith('.rdb') ? ['--for', 'redis-7.2'] : []),
    ]);
    expect([ran.exit, ran.stderr]).toEqual([0, expect.not.stringContaining('internal')]);
    if (out !== 'names.json') expect(await digestOf(place(out))).toBe(expected);
  }
  for (const words of [
    ['memory'],
    ['diff', place('dump.rdb')],
    ['log', '--stats'],
    ['history', '__proto__'],
    ['report', '-o', '-'],
  ]) {
    const [name, ...rest] = words;
    const ran = await runCli(
      [
        name!,
        ...(name === 'diff' ? rest : []),
        place('names.aof'),
        ...(name === 'diff' ? [] : rest),
        '--json',
      ].filter((word) => name !== 'report' || word !== '--json'),
    );
    expect([words[0], ran.exit < 2, ran.stderr]).toEqual([
      words[0],
      true,
      expect.not.stringContaining('internal'),
    ]);
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
});
