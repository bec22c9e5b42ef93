import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { formatManifest, parseManifest } from '../../../src/aof/manifest.js';
import { readConfig } from '../../../src/cli/verify-config.js';
import { AnswerParser } from '../../../src/live/answer-parser.js';
import { ReplyParser } from '../../../src/live/replies.js';
import { SnapshotParser, SnapshotProtocolError } from '../../../src/live/snapshot-parser.js';
import { FINDINGS } from '../../../src/model/finding.js';
import { Glob } from '../../../src/model/glob.js';
import { ServerConfigReader } from '../../../src/model/server-config.js';
import { splitWords } from '../../../src/model/words.js';
import { SERVER_MESSAGES } from '../../../src/tools/doctor/catalog.js';
import { doctor } from '../../../src/tools/doctor.js';
import { Random } from '../../support/random.js';
import { LINES } from '../grammars.js';
import { archived, texts } from '../seeds.js';
import { Broken, type Target } from '../target.js';
import { still } from '../works.js';

const manifest: Target = {
  name: 'manifest',
  bytesMax: 2500,
  tokens: texts(
    ...'file seq type b i h startoffset endoffset appendonly.aof.1.base.rdb appendonly.aof.2.incr.aof " \\x00 \\" ../x / . .. #'.split(
      ' ',
    ),
    ' ',
    '\n',
    '\r\n',
    '\0',
    '99999999999999999999',
    '-1',
  ),
  grammar: LINES,
  seeds: () => archived('corpus', /manifest$/).slice(0, 20),
  run(bytes) {
    const { base, increments, history, problems } = parseManifest(bytes);
    for (const { code, offset } of problems) {
      if (!(code in FINDINGS)) throw new Broken('a problem of no known code', code);
      if (offset < 0 || offset > bytes.length) throw new Broken('a problem outside of the manifest', offset);
    }
    for (const entry of [base, ...increments, ...history]) {
      if (entry !== null && (/[/\\\0]/.test(entry.name) || entry.name === '..'))
        throw new Broken('a manifest names no path', entry.name);
    }
    const again = parseManifest(formatManifest({ base, increments, history }));
    const said = (one: Omit<typeof again, 'bytes'>) =>
      JSON.stringify(
        [one.base, ...one.history, ...one.increments].map(
          (entry) =>
            entry && [
              entry.name,
              String(entry.seq),
              entry.type,
              String(entry.startOffset),
              String(entry.endOffset),
            ],
        ),
      );
    const isLong = [base, ...increments, ...history].some((entry) => (entry?.name.length ?? 0) > 200);
    if (base === null && increments.length + history.length === 0) return;
    if (!isLong && said(again) !== said({ base, increments, history, problems }))
      throw new Broken('a manifest that was written says the same', [
        said(again),
        said({ base, increments, history, problems }),
      ]);
  },
};

const messages = (): Buffer[] =>
  SERVER_MESSAGES.flatMap(({ says }) =>
    says.map(({ text }) => Buffer.from(`1:M 01 Mar 2026 12:00:00.000 # ${text}`)),
  );

const serverLog: Target = {
  name: 'server-log',
  bytesMax: 1500,
  tokens: texts(
    '%s',
    '%d',
    '1:M 01 Mar 2026 12:00:00.000 # ',
    '{"log":"',
    '\\n"}',
    'redis-server[1]: ',
    '\x1b[0m',
    '\n',
    '# Bad file format reading the append only file',
    'offset 123',
  ),
  grammar: LINES,
  seeds: messages,
  async run(bytes) {
    const input = (async function* () {
      yield bytes;
    })();
    await doctor({ kind: 'input', input }, still);
  },
};

const CONFIG =
  'appendonly yes\nappendfsync everysec\nappendfilename "a.aof"\nappenddirname appendonlydir\ndbfilename dump.rdb\ndir /tmp\nsave 3600 1 300 100\nsave ""\n' +
  'aof-load-truncated no\naof-use-rdb-preamble yes\nauto-aof-rewrite-percentage 100\nauto-aof-rewrite-min-size 64mb\nrdbchecksum no\ndatabases 16\ninclude x.conf\nrename-command A B\n';

const serverConfig: Target = {
  name: 'redis-conf',
  bytesMax: 2000,
  tokens: texts(...CONFIG.split(/[ \n]/), '"', "'", '\\x', '1gb', '1e9', '-1', '99999999999999999999', '\n'),
  grammar: LINES,
  seeds: () => [Buffer.from(CONFIG), Buffer.from('save 1 1\n')],
  run(bytes) {
    const text = bytes.latin1Slice();
    const reader = new ServerConfigReader();
    for (const include of reader.read(text, 'redis.conf'))
      if (include.line < 1) throw new Broken('lines count from 1');
    const { config } = reader;
    if (/[/\\\0]/.test(config.dbFilename + config.appendFilename + config.appendDirname))
      throw new Broken('a name is no path');
    splitWords(text.slice(0, 300));
    const [pattern = '', name = ''] = text.split('\n');
    new Glob(pattern.slice(0, 200)).matches(Buffer.from(name, 'latin1'), 0, name.length);
  },
};

const scratch = (workerData as { scratch?: string } | null)?.scratch ?? join(tmpdir(), 'rekindle-fuzz');
const CONFIG_JSON = JSON.stringify({
  verify: {
    state: 's.json',
    timeout: '2h',
    defaults: { maxAge: '1d', minKeys: 1 },
    sources: [{ name: 'a', path: 'dump.rdb', minSize: '1mb', requireKey: ['a', 'b'], drill: 'embedded' }],
  },
});

const verifyConfig: Target = {
  name: 'verify-config',
  bytesMax: 1500,
  tokens: texts(
    ...'"verify": "sources": "path": "defaults": "maxAge": "user": "passwordEnv": "pingEnv": "redis://u:p@h" null [] {} true 1e999 -1 "__proto__": "constructor":'.split(
      ' ',
    ),
    ',',
    '{',
    '}',
    '"',
  ),
  seeds: () => [Buffer.from(CONFIG_JSON), Buffer.from('{"verify":{"sources":[{"path":"x"}]}}')],
  async run(bytes) {
    mkdirSync(scratch, { recursive: true });
    const path = join(scratch, 'verify.json');
    writeFileSync(path, bytes);
    await readConfig(path);
  },
};

/** What a server answers, in parts: replies with values, replies that are counted, snapshots. */
const answers: Target = {
  name: 'answers',
  modeBytes: 1,
  bytesMax: 1500,
  tokens: texts(
    '+OK\r\n',
    '-ERR x\r\n',
    ':1\r\n',
    '$3\r\nabc\r\n',
    '$-1\r\n',
    '*2\r\n',
    '*-1\r\n',
    '*0\r\n',
    '$EOF:0123456789012345678901234567890123456789\r\n',
    '0123456789012345678901234567890123456789',
    '+FULLRESYNC 0123456789012345678901234567890123456789 1\r\n',
    '\n',
    '+CONTINUE\r\n',
    '$99999999999\r\n',
    '%1\r\n',
    '_\r\n',
  ),
  grammar: LINES,
  seeds: () =>
    texts(
      '\0*2\r\n$1\r\na\r\n*1\r\n:5\r\n+OK\r\n',
      '\x01+OK\r\n-ERR no\r\n$5\r\nhello\r\n*2\r\n:1\r\n$-1\r\n',
      '\x02\n\n+FULLRESYNC 0123456789012345678901234567890123456789 1\r\n$4\r\nabcd',
      '\x02$EOF:0123456789012345678901234567890123456789\r\nabc0123456789012345678901234567890123456789',
    ),
  run(bytes) {
    const mode = bytes[0] ?? 0;
    const body = bytes.subarray(1);
    const whole = answered(mode % 3, body, null);
    const parts = answered(mode % 3, body, new Random(mode));
    if (whole !== parts) throw new Broken('answers are the same in parts', [whole, parts]);
  },
};

function answered(kind: number, bytes: Buffer, random: Random | null): string {
  const seen: string[] = [];
  const say = (text: string): void => void seen.push(text);
  const parser = [
    () => new AnswerParser((answer) => say(JSON.stringify(answer))),
    () =>
      new ReplyParser({
        done: () => say('done'),
        absent: () => say('absent'),
        integer: (value) => say(String(value)),
        failed: (text) => say(`-${text}`),
      }),
    () => snapshotParser(say),
  ][kind]!();
  try {
    for (let at = 0; at < bytes.length; ) {
      const end = random === null ? bytes.length : Math.min(bytes.length, at + 1 + random.below(9));
      parser.push(Buffer.from(bytes.subarray(at, end)));
      at = end;
    }
  } catch (error) {
    if (error instanceof SnapshotProtocolError) say('!');
    else if (error instanceof Error && /^it does not answer in the protocol/.test(error.message)) say('!');
    else throw error;
  }
  return seen.join(';').replace(/bytes (\w*);(?=bytes)/g, 'bytes $1');
}

function snapshotParser(say: (text: string) => void): SnapshotParser {
  let received = '';
  return new SnapshotParser(
    {
      ready: () => say('ready'),
      accepted: () => say('accepted'),
      refused: (reply) => say(`refused ${reply}`),
      bytes: (chunk) => {
        received += chunk.toString('hex');
      },
      ended: () => say(`ended ${received}`),
    },
    0,
    () => 0,
  );
}

export const targets: readonly Target[] = [manifest, serverLog, serverConfig, verifyConfig, answers];
