import { MemorySource } from '../../../src/bytes/source.js';
import { MemoryTarget } from '../../../src/bytes/target.js';
import { lzfDecompressPlain } from '../../../src/kernels/lzf-plain.js';
import { FINDINGS } from '../../../src/model/finding.js';
import type { KeyHead } from '../../../src/model/handler.js';
import { RdbDecoder } from '../../../src/rdb/decoder.js';
import { RdbSink } from '../../../src/rdb/handler.js';
import { DEFAULT_LIMITS } from '../../../src/rdb/value-reader.js';
import type { CommandSpans } from '../../../src/resp/command.js';
import { salvageLog } from '../../../src/salvage/log-salvage.js';
import { surveyRdb } from '../../../src/salvage/rdb-survey.js';
import { writeSalvagedRdb } from '../../../src/salvage/rdb-write.js';
import { writeContent } from '../../../src/tools/repair/content.js';
import { planRepair } from '../../../src/tools/repair.js';
import { feed } from '../feed.js';
import { commands, RDB, withChecksum } from '../grammars.js';
import { archived, withMode } from '../seeds.js';
import { Broken, type Target } from '../target.js';
import { argumentTokens, commandNames, rdbTokens } from '../tokens.js';
import { checked, logSource, rdbSource, still } from '../works.js';
import { DIALECTS, rdbSeeds } from './rdb.js';
import { logSeeds } from './resp.js';

const quiet = { signal: still.signal, progress: () => {} };

/** Several records each, so that there is something behind the damage. */
function rdbFiles(): Buffer[] {
  return [
    ...rdbSeeds().filter((_, i) => i % 3 === 0),
    ...archived('corpus', /small.*\.rdb$/, 2500),
    ...archived('salvage', /\.rdb$/, 4000),
  ];
}

class Names extends RdbSink {
  readonly names: Buffer[] = [];

  override keyEnd(head: KeyHead): void {
    this.names.push(head.key.copy());
  }
}

/** Whether a name stands in the bytes, as it is, as a number, or compressed. */
function standsIn(bytes: Buffer, name: Buffer): boolean {
  if (bytes.includes(name)) return true;
  if (/^-?\d{1,11}$/.test(name.latin1Slice())) return true;
  for (let at = bytes.indexOf(0xc3); at >= 0; at = bytes.indexOf(0xc3, at + 1)) {
    for (let head = 2; head < 20 && at + head < bytes.length; head++) {
      for (let end = at + head + 2; end <= Math.min(bytes.length, at + head + name.length + 40); end++) {
        const output = Buffer.alloc(name.length);
        if (lzfDecompressPlain(bytes, at + head, end, output, 0, output.length) && output.equals(name))
          return true;
      }
    }
  }
  return false;
}

const rdb: Target = {
  name: 'salvage-rdb',
  modeBytes: 1,
  bytesMax: 2500,
  weight: 2,
  tokens: rdbTokens(),
  grammar: RDB,
  repair: withChecksum,
  seeds: () => withMode(rdbFiles(), [0], [1], [2], [3], [4]),
  async run(bytes) {
    const mode = bytes[0] ?? 0;
    const body = bytes.subarray(1);
    const dialect = DIALECTS[(mode >> 4) & 7]!;
    const source = new MemorySource(body, 'dump.rdb');
    const survey = await surveyRdb(
      source,
      {
        dialect,
        limits: DEFAULT_LIMITS,
        end: null,
        preamble: false,
        trustedTo: 0,
        correct: (mode & 4) !== 0,
      },
      quiet,
    );
    for (const { start, end, code } of survey.damaged) {
      if (!(start >= 0 && start <= end && end <= body.length))
        throw new Broken('damage lies in the file', [start, end]);
      if (!(code in FINDINGS)) throw new Broken('damage of no known code', code);
    }
    const target = new MemoryTarget();
    await writeSalvagedRdb(source, survey, target, {
      doubtful: (mode & 1) !== 0,
      partial: (mode & 2) !== 0,
      ...quiet,
    });
    const written = Buffer.from(target.bytes());
    const names = new Names();
    try {
      feed(
        new RdbDecoder(names, { verifyChecksum: true, deep: true, dialect: survey.header.dialect }),
        written,
      );
    } catch (error) {
      throw new Broken('what was salvaged reads', (error as Error).message);
    }
    if (survey.corrections.length > 0) return;
    for (const name of names.names) {
      if (!standsIn(body, name)) throw new Broken('salvage invents no key', name.latin1Slice());
    }
  },
};

/** Every byte belongs to a command, an annotation, a damaged or a doubtful range, and what is told of it stands there. */
const log: Target = {
  name: 'salvage-log',
  modeBytes: 1,
  bytesMax: 2500,
  tokens: argumentTokens(),
  grammar: commands(commandNames()),
  seeds: () => withMode([...logSeeds(), ...archived('salvage', /\.aof$/, 4000)], [0], [1]),
  async run(bytes) {
    const mode = bytes[0] ?? 0;
    const body = bytes.subarray(1);
    const isDoubtfulTold = (mode & 1) !== 0;
    let at = 0;
    const take = (start: number, end: number, what: string): void => {
      if (start !== at || end < start || end > body.length)
        throw new Broken('the ranges of a log follow each other', `${what} ${start} ${end}, not from ${at}`);
      at = end;
    };
    await salvageLog(
      new MemorySource(body, 'appendonly.aof'),
      0,
      {
        full: false,
        stopped: false,
        command: (spans: CommandSpans) => {
          take(spans.offset, spans.offset + spans.length, 'command');
          for (let i = 0; i < spans.held; i++) {
            const argument = spans.bytes.subarray(spans.starts[i]!, spans.ends[i]!);
            const found = body.subarray(spans.offset, spans.offset + spans.length).includes(argument);
            if (!found) throw new Broken('an argument stands in its command', spans.offset);
          }
        },
        annotation: (line, offset) => take(offset, offset + line.length, 'annotation'),
        flaw: () => {},
        damage: ({ start, end, code }) => {
          if (!(code in FINDINGS)) throw new Broken('damage of no known code', code);
          take(start, end, 'damage');
        },
        doubtful: ({ start, end }) => {
          if (!isDoubtfulTold) take(start, end, 'doubtful');
        },
      },
      { doubtful: isDoubtfulTold, signal: still.signal },
    );
    if (at !== body.length) throw new Broken('the ranges of a log reach its end', `${at} of ${body.length}`);
  },
};

/** What a plan makes of a file, checked again. */
const repair: Target = {
  name: 'repair',
  modeBytes: 1,
  bytesMax: 2000,
  tokens: [...rdbTokens(), ...argumentTokens()],
  seeds: () =>
    withMode(
      [
        ...rdbFiles().map((bytes) => Buffer.concat([Buffer.of(0), bytes])),
        ...logSeeds().map((bytes) => Buffer.concat([Buffer.of(1), bytes])),
      ],
      [0],
      [1],
      [2],
    ),
  async run(bytes) {
    const mode = bytes[0] ?? 0;
    const isLog = (bytes[1] ?? 0) % 2 === 1;
    const body = bytes.subarray(2);
    const source = isLog ? await logSource(body) : rdbSource(body);
    const options = { partial: (mode & 1) !== 0, doubtful: (mode & 2) !== 0, dialect: null };
    const plan = await planRepair(source, options, still);
    for (const { obstacle, files, lostBytes, name } of plan.strategies) {
      if (!(lostBytes >= 0)) throw new Broken('what is lost is a number', lostBytes);
      const [file] = files;
      if (obstacle !== null || file === undefined || file.change === 'remove') continue;
      const target = new MemoryTarget();
      await writeContent(file, target, still);
      const result = Buffer.from(target.bytes());
      const report = await checked(result, {
        form: isLog ? 'aof' : 'rdb',
        quick: false,
        goOn: true,
        dialect: null,
      });
      const errors = report.findings.filter(({ code }) => FINDINGS[code] === 'error');
      if (errors.length > 0 && result.length > 0)
        throw new Broken(`what ${name} leaves checks clean`, errors);
    }
  },
};

export const targets: readonly Target[] = [rdb, log, repair];
