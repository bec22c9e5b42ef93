import { AofFileMachine } from '../../../src/aof/file.js';
import type { ByteSlice } from '../../../src/bytes/slice.js';
import { FormatError } from '../../../src/errors.js';
import { FINDINGS } from '../../../src/model/finding.js';
import { RdbDecoder } from '../../../src/rdb/decoder.js';
import { RdbSink } from '../../../src/rdb/handler.js';
import type { CommandSpans } from '../../../src/resp/command.js';
import { RespScanner, SKIM, WHOLE } from '../../../src/resp/scanner.js';
import { Random } from '../../support/random.js';
import { feed } from '../feed.js';
import { command, commands } from '../grammars.js';
import { archived, texts, withMode } from '../seeds.js';
import { Broken, type Target } from '../target.js';
import { argumentTokens, commandNames } from '../tokens.js';

/** Short logs, and pieces of longer ones. */
export function logSeeds(): Buffer[] {
  const logs = [...archived('corpus', /\.aof$/, 400_000), ...archived('corrupt', /\.aof$/, 3000)];
  const seeds: Buffer[] = [];
  const met = new Set<string>();
  for (const log of logs) {
    if (log.length < 1500) seeds.push(log);
    const parts = log.subarray(0, 5).equals(Buffer.from('REDIS'))
      ? []
      : (GRAMMAR.split(log.subarray(0, 200_000)) ?? []);
    for (const part of parts) {
      const name =
        /^\*\d+\r\n\$\d+\r\n(\w+)/.exec(part.subarray(0, 60).latin1Slice())?.[1]?.toUpperCase() ?? '#';
      const kind = `${name} ${part.length >> 5}`;
      if (part.length > 400 || met.has(kind)) continue;
      met.add(kind);
      seeds.push(part);
    }
  }
  return [
    ...seeds.slice(0, 400),
    ...texts('#TS:1772366400\r\n*1\r\n$4\r\nPING\r\n', '#'),
    Buffer.concat([command(['MULTI']), command(['SET', 'a', '1']), command(['EXEC'])]),
    Buffer.concat([command(['SELECT', '1']), command(['SET', 'a', '1']), command(['DEL', 'a'])]),
  ];
}

const GRAMMAR = commands(commandNames());

const tokens = [
  ...argumentTokens(),
  ...texts(
    '*',
    '$',
    '\r\n',
    '#TS:',
    '#TS:1\r\n',
    '*1\r\n',
    '$0\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*0\r\n',
    '*3\n',
    '$1\n',
    'MULTI',
    'EXEC',
  ),
];

class Listener {
  readonly full = false;
  readonly stopped = false;
  text = '';
  private end = 0;

  commandsStart(offset: number): void {
    this.text += `from ${offset};`;
    this.end = offset;
  }

  command(spans: CommandSpans): void {
    const { offset, length, argc, held } = spans;
    if (offset < this.end) throw new Broken('commands follow each other', offset);
    if (held > argc || argc < 1) throw new Broken('a command has arguments', argc);
    this.end = offset + length;
    let sum = 0;
    for (let i = 0; i < held; i++) {
      const [start, end] = [spans.starts[i]!, spans.ends[i]!];
      if (start < 0 || end < start || end > spans.bytes.length)
        throw new Broken('arguments lie in the window');
      for (let at = start; at < end; at++) sum = (Math.imul(sum, 31) + spans.bytes[at]!) | 0;
      sum = (Math.imul(sum, 31) + end - start) | 0;
    }
    this.text += `${offset}+${length} ${argc} ${sum};`;
  }

  annotation(line: ByteSlice, offset: number, seconds: number): void {
    this.text += `#${offset}+${line.length} ${seconds};`;
  }

  flaw(code: string, offset: number): void {
    if (!(code in FINDINGS)) throw new Broken('a flaw of no known code', code);
    this.text += `!${code} ${offset};`;
  }
}

function scanned(bytes: Buffer, skim: boolean, random: Random | null, whole: boolean): string {
  const listener = new Listener();
  const mode = skim ? SKIM : WHOLE;
  const preamble = () => new RdbDecoder(new RdbSink(), { verifyChecksum: true, deep: false });
  const machine = whole ? new AofFileMachine(listener, preamble, mode) : new RespScanner(listener, mode);
  let end = '';
  try {
    feed(machine, bytes, random);
    end = 'whole';
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.offset > bytes.length)
      throw new Broken('an error behind the end', `${error.code} ${error.offset}`);
    end = `${error.code} ${error.offset}`;
  }
  const good = machine instanceof RespScanner ? machine.lastGood : machine.safeCut;
  if (good > bytes.length) throw new Broken('what is good lies in the file', good);
  return `${listener.text}${end} ${good}`;
}

/** Both modes of the scanner, by itself and in the machine for files, at once and in parts. */
const scanner: Target = {
  name: 'resp',
  modeBytes: 1,
  bytesMax: 2000,
  weight: 2,
  tokens,
  grammar: GRAMMAR,
  seeds: () => withMode(logSeeds(), [0], [1], [2], [3]),
  run(bytes) {
    const mode = bytes[0] ?? 0;
    const body = bytes.subarray(1);
    const own = scanned(body, (mode & 1) !== 0, null, (mode & 2) !== 0);
    const other = scanned(
      body,
      (mode & 1) === 0,
      (mode & 4) !== 0 ? new Random(mode) : null,
      (mode & 2) !== 0,
    );
    if (own !== other) throw new Broken('a log is told the same in either mode and in parts', [own, other]);
  },
};

export const targets: readonly Target[] = [scanner];
