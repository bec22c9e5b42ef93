import { diff } from '../../../src/tools/diff.js';
import { EVERY_KEY } from '../../../src/tools/filter.js';
import { info } from '../../../src/tools/info.js';
import { memory } from '../../../src/tools/memory.js';
import { commands, RDB, withChecksum } from '../grammars.js';
import { withMode } from '../seeds.js';
import { Broken, type Target } from '../target.js';
import { argumentTokens, commandNames, rdbTokens } from '../tokens.js';
import { converted, logSource, rdbSource, still } from '../works.js';
import { rdbSeeds } from './rdb.js';
import { logSeeds } from './resp.js';

/** What is made of one file by the tools that only read; a file compared with itself is equal. */
async function runTool(kind: number, bytes: Buffer, isLog: boolean): Promise<void> {
  const source = isLog ? await logSource(bytes) : rdbSource(bytes);
  const common = { conditions: EVERY_KEY, dialect: null, onUnknown: 'skip' } as const;
  switch (kind) {
    case 0:
      await info(source, { dialect: null }, still);
      break;
    case 1:
      await memory(source, { ...common, top: 5, slots: false }, still);
      break;
    case 2: {
      let differences = 0;
      const listener = { difference: () => void differences++, full: false, drain: () => Promise.resolve() };
      const other = isLog ? await logSource(bytes) : rdbSource(bytes);
      await diff(source, other, { ...common, toleranceMs: 0, values: true, patch: null, listener }, still);
      if (differences > 0) throw new Broken('a file is equal to itself', differences);
      break;
    }
    default:
      await converted(source, 'rdb', null);
  }
}

const reading = (name: string, isLog: boolean): Target => ({
  name,
  modeBytes: 1,
  bytesMax: 1500,
  tokens: isLog ? argumentTokens() : rdbTokens(),
  grammar: isLog ? commands(commandNames()) : RDB,
  ...(!isLog && { repair: withChecksum }),
  seeds: () => withMode(isLog ? logSeeds() : rdbSeeds(), [0], [1], [2], [3]),
  run: (bytes) => runTool((bytes[0] ?? 0) & 3, bytes.subarray(1), isLog),
});

export const targets: readonly Target[] = [reading('tools-rdb', false), reading('tools-aof', true)];
