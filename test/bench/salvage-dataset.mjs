// Makes the dataset that salvage is measured on, and has a server save it:
//
//   node test/bench/salvage-dataset.mjs REDIS-SERVER OUT.rdb
//
// 10,000 keys of every kind the server knows, the same for every server but for the kinds it lacks; seeded. Some values hold
// what looks like a part of an RDB or a log: nothing of that may ever come out as a key. Needs redis-cli on the path.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const KEYS = 10_000;
/** Where each further database begins, counted in keys. */
const DATABASES = new Map([
  [9_920, 1],
  [9_970, 4],
]);

let state = 0x2545f491;
function random() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}
const below = (n) => random() % n;
const pick = (list) => list[below(list.length)];
const WORDS =
  'alpha beta gamma delta order invoice customer product session token visitor region status pending shipped paid'.split(
    ' ',
  );
const words = (n) => Array.from({ length: n }, () => pick(WORDS)).join(' ');
const letters = (n) => Array.from({ length: n }, () => 'abcdefgh01234567'[below(16)]).join('');
const binary = (n) => Buffer.from(Array.from({ length: n }, () => below(256)));

/** Records as an RDB holds them, of names and texts that nothing compresses: a value that looks like a part of a file. */
function recordRun(count) {
  const parts = [];
  for (let i = 0; i < count; i++) {
    const name = Buffer.from(`ghost${letters(6)}`);
    const text = Buffer.from(letters(4 + below(20)));
    parts.push(Buffer.from([0, name.length]), name, Buffer.from([text.length]), text);
  }
  return Buffer.concat(parts);
}

function embeddedRdb(count) {
  return Buffer.concat([
    Buffer.from('REDIS0009\xfe\x00', 'latin1'),
    recordRun(count),
    Buffer.from([0xff]),
    binary(8),
  ]);
}

function embeddedLog(count) {
  const commands = Array.from(
    { length: count },
    () => `*3\r\n$3\r\nSET\r\n$11\r\nghost${letters(6)}\r\n$6\r\n${letters(6)}\r\n`,
  );
  return Buffer.from(commands.join(''));
}

function text() {
  switch (below(12)) {
    case 0:
      return String(below(1000));
    case 1:
      return String(random());
    case 2:
      return binary(1 + below(24));
    case 3:
      return JSON.stringify({ id: random(), name: words(2), tags: words(4).split(' '), at: letters(12) });
    case 4:
      return below(12) === 0 ? words(400) : words(12);
    case 5:
      return letters(1 + below(24));
    default:
      return words(1 + below(6));
  }
}

const MAKERS = [
  [40, (key) => [['SET', key('user'), text()]]],
  [6, (key) => [['SET', key('counter'), String(below(100000))]]],
  [14, (key) => [['HMSET', key('profile'), ...fields(1 + below(5), 10)]]],
  [1, (key) => [['HMSET', key('wide'), ...fields(5 + below(20), 80)]]],
  [8, (key) => [['RPUSH', key('queue'), ...many(1 + below(4), () => text())]]],
  [1, (key) => [['RPUSH', key('events'), ...many(20 + below(below(8) === 0 ? 900 : 40), () => words(2))]]],
  [6, (key) => [['SADD', key('ids'), ...many(1 + below(14), () => String(below(70000)))]]],
  [5, (key) => [['SADD', key('tags'), ...many(1 + below(10), () => letters(6))]]],
  [1, (key) => [['SADD', key('members'), ...many(130 + below(40), () => letters(4) + below(1000))]]],
  [7, (key) => [['ZADD', key('board'), ...scored(1 + below(9))]]],
  [1, (key) => [['ZADD', key('ranking'), ...scored(130 + below(20))]]],
];

const many = (count, make) => Array.from({ length: count }, make);
function fields(count, longest) {
  return many(count, (_, i) => [`${pick(WORDS)}${i}`, letters(1 + below(longest))]).flat();
}
function scored(count) {
  return many(count, () => [
    below(3) === 0 ? `${below(1000)}.${below(100)}` : String(below(5000)),
    letters(7),
  ]).flat();
}

function stream(name) {
  const commands = many(1 + below(9), (_, i) => [
    'XADD',
    name,
    `${1700000000000 + i * 1000}-${below(9)}`,
    ...fields(2, 12),
  ]);
  if (below(2) === 0) {
    commands.push(['XGROUP', 'CREATE', name, 'workers', '0']);
    commands.push(['XREADGROUP', 'GROUP', 'workers', `w${below(4)}`, 'COUNT', '3', 'STREAMS', name, '>']);
  }
  return commands;
}

/** All commands that make the dataset. */
function dataset(version) {
  state = 0x2545f491;
  const total = MAKERS.reduce((sum, [weight]) => sum + weight, 0);
  const commands = [];
  if (version >= 700) {
    const code = "#!lua name=bench\nredis.register_function('answer', function() return 42 end)";
    commands.push(['FUNCTION', 'LOAD', code]);
  }
  for (let i = 0; i < KEYS; i++) {
    if (DATABASES.has(i)) commands.push(['SELECT', String(DATABASES.get(i))]);
    const key = (stem) => (below(40) === 0 ? letters(9) + i : `${stem}:${100000 + i}`);
    let made;
    let name;
    if (i % 500 === 77)
      made = [['SET', (name = `blob:${i}`), pick([recordRun, embeddedRdb, embeddedLog])(10 + below(40))]];
    else if (i % 125 === 13) made = [['SET', (name = String(500000 + i)), text()]];
    else if (i % 333 === 100)
      made = [['SET', (name = Buffer.concat([Buffer.from([i & 255, i >> 8]), binary(5)])), text()]];
    else if (version >= 500 && i % 40 === 9) made = stream((name = `log:${i}`));
    else {
      let left = below(total);
      const [, make] = MAKERS.find(([weight]) => (left -= weight) < 0);
      made = make((stem) => (name = key(stem)));
    }
    commands.push(...made);
    if (below(5) === 0) commands.push(['PEXPIREAT', name, String(4070908800000 + below(1e9))]);
    if (version >= 704 && made[0][0] === 'HMSET' && below(4) === 0) {
      commands.push(['HPEXPIREAT', name, String(4070908800000 + below(1e9)), 'FIELDS', '1', made[0][2]]);
    }
  }
  return commands;
}

function encode(command) {
  const parts = [Buffer.from(`*${command.length}\r\n`)];
  for (const word of command) {
    const bytes = Buffer.isBuffer(word) ? word : Buffer.from(word);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

async function main(program, out) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(stdout);
  const version = Number(major) * 100 + Number(minor);
  const directory = mkdtempSync(join(tmpdir(), 'salvage-dataset-'));
  const socket = join(directory, 's');
  const words = [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const server = spawn(program, words, { stdio: 'ignore' });
  const cli = (args, input) =>
    spawnSync('redis-cli', ['-s', socket, ...args], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  try {
    for (let i = 0; i < 100 && cli(['PING']).stdout !== 'PONG\n'; i++) await sleep(100);
    const piped = cli(['--pipe'], Buffer.concat(dataset(version).map(encode)));
    if (!/errors: 0,/.test(piped.stdout)) throw new Error(piped.stdout + piped.stderr);
    const saved = cli(['SAVE']).stdout;
    if (saved !== 'OK\n') throw new Error(saved);
    copyFileSync(join(directory, 'dump.rdb'), out);
    process.stdout.write(`${stdout.trim()}\n${cli(['INFO', 'keyspace']).stdout}`);
  } finally {
    server.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

const [program, out] = process.argv.slice(2);
if (out === undefined) {
  process.stderr.write('usage: node test/bench/salvage-dataset.mjs REDIS-SERVER OUT.rdb\n');
  process.exit(2);
}
await main(program, out);
