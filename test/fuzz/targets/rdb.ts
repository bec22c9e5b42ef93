import { FormatError } from '../../../src/errors.js';
import { FINDINGS } from '../../../src/model/finding.js';
import { ELEMENTS, ITEMS, RAW, SKIP } from '../../../src/model/handler.js';
import { RdbDecoder } from '../../../src/rdb/decoder.js';
import type { DialectName } from '../../../src/rdb/dialect.js';
import { Random } from '../../support/random.js';
import { feed } from '../feed.js';
import { Fingerprint } from '../fingerprint.js';
import { RDB, withChecksum } from '../grammars.js';
import { archived, withMode } from '../seeds.js';
import { Broken, type Target } from '../target.js';
import { rdbTokens } from '../tokens.js';

export const DIALECTS: readonly (DialectName | null)[] = [
  null,
  'redis',
  'valkey',
  'keydb',
  'dragonfly',
  'redis-enterprise',
  null,
  null,
];
const DEPTHS = [SKIP, RAW, ITEMS, ELEMENTS] as const;

/** Small files, and of larger ones their records one by one. */
export function rdbSeeds(): Buffer[] {
  return seedsOf([
    ...archived('corpus', /\.rdb$/),
    ...archived('corrupt', /\.rdb$/, 3000).slice(0, 40),
    ...archived('modules', /\.rdb$/),
  ]);
}

export function seedsOf(files: readonly Buffer[]): Buffer[] {
  const seeds: Buffer[] = [];
  const met = new Map<string, number>();
  for (const bytes of files) {
    if (bytes.length < 700) seeds.push(bytes);
    const parts = RDB.split(bytes) ?? [];
    const [head] = parts;
    if (head === undefined || parts.length < 2) continue;
    const version = bytes.latin1Slice(0, 9);
    for (const part of parts.slice(1, -1)) {
      if (part.length > 400) continue;
      const kind = `${version} ${part[0] === 0xfc || part[0] === 0xfd ? part[part[0] === 0xfc ? 9 : 5] : part[0]}`;
      const count = met.get(kind) ?? 0;
      met.set(kind, count + 1);
      if (count >= 3) continue;
      const file = Buffer.concat([bytes.subarray(0, 9), part, Buffer.of(0xff), Buffer.alloc(8)]);
      seeds.push(
        Number(version.slice(-4)) >= 5 || version.startsWith('V') ? withChecksum(file) : file.subarray(0, -8),
      );
    }
  }
  return seeds;
}

export interface RdbMode {
  readonly deep: boolean;
  readonly verifyChecksum: boolean;
  readonly dialect: DialectName | null;
  readonly depth: (typeof DEPTHS)[number];
}

function modeOf(byte: number): RdbMode {
  return {
    deep: (byte & 1) !== 0,
    verifyChecksum: (byte & 2) !== 0,
    depth: DEPTHS[(byte >> 2) & 3]!,
    dialect: DIALECTS[(byte >> 4) & 7]!,
  };
}

/** What decoding came to: what was told, what was warned of, what was wrong. */
function outcome(bytes: Buffer, mode: RdbMode, random: Random | null): string {
  const told = new Fingerprint(mode.depth);
  const warnings: string[] = [];
  const decoder = new RdbDecoder(told, {
    ...mode,
    dialect: mode.dialect ?? undefined,
    onWarning: (code, offset) => {
      if (!(code in FINDINGS)) throw new Broken('a warning of no known code', code);
      warnings.push(`${code}@${offset}`);
    },
  });
  let end = '';
  try {
    end = `ends at ${feed(decoder, bytes, random).offset}`;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.offset > bytes.length)
      throw new Broken('an error behind the end', `${error.code} ${error.offset}`);
    end = `${error.code} at ${error.offset}`;
    // What was told of a value that is damaged depends on where the parts ended.
    return `${end} ${told.keys}`;
  }
  return `${end} ${told.text32} ${warnings.join()}`;
}

const decode: Target = {
  name: 'rdb',
  modeBytes: 2,
  bytesMax: 2048,
  weight: 3,
  tokens: rdbTokens(),
  grammar: RDB,
  repair: withChecksum,
  seeds: () => withMode(rdbSeeds(), [0x0f, 1], [0x0b, 0], [0x03, 2], [0x06, 3]),
  run(bytes) {
    const [first = 0, second = 0] = bytes;
    const mode = modeOf(first);
    const body = bytes.subarray(2);
    const whole = outcome(body, mode, null);
    if (second % 4 !== 1) return;
    const chopped = outcome(body, mode, new Random(second));
    if (chopped !== whole) throw new Broken('an RDB in parts is told as in one', [whole, chopped]);
  },
};

export const targets: readonly Target[] = [decode];
