import { pumpSource } from '../../bytes/pump.js';
import type { ByteSource } from '../../bytes/source.js';
import { FormatError } from '../../errors.js';
import { combineCrc64 } from '../../kernels/crc64.js';
import { checksumText } from '../../rdb/checksum.js';
import { BlockSummer, type LogBlock } from '../../resp/blocks.js';
import type { ToolContext } from '../context.js';
import type { NotChecked } from '../report.js';
import type { FindingList } from './findings.js';

interface Words {
  high: number;
  low: number;
}

/** What the proposals leave open. */
interface Reading {
  readonly radix: 10 | 16;
  /** Whether the announcing line is summed with the records, up to its checksum. */
  readonly withLine: boolean;
  /** Whether a sum goes on from the one that the block before states. */
  readonly chained: boolean;
}

/** What one reading of the checksums makes of the blocks. */
interface Score {
  readonly reading: Reading;
  matches: number;
  readonly mismatches: { offset: number; length: number; stated: string; computed: string }[];
  mismatchCount: number;
}

const LISTED_MAX = 20;
/** As few agreeing blocks as this are no accident: each is one in 2^64. */
const MATCHES_MIN = 1;

const READINGS: readonly Reading[] = [10, 16].flatMap((radix) =>
  [false, true].flatMap((withLine) =>
    [true, false].map((chained) => ({ radix: radix as 10 | 16, withLine, chained })),
  ),
);

/**
 * Compares the checksums that `#HDR:` lines of a log state, from the line at `start` on. The annotation is a proposal
 * whose forms differ, so all of them are tried, and the one that most blocks agree with is taken; when none does,
 * nothing is compared.
 */
export async function checkBlocks(
  source: ByteSource,
  start: number,
  findings: FindingList,
  context: ToolContext,
): Promise<NotChecked[]> {
  const scores = READINGS.map(
    (reading): Score => ({ reading, matches: 0, mismatches: [], mismatchCount: 0 }),
  );
  let before: string | null = null;
  let blocks = 0;
  const summer = new BlockSummer((block) => {
    for (const score of scores) compare(score, block, before);
    before = block.stated;
    blocks++;
  });
  let stoppedAt = -1;
  try {
    await pumpSource(source, summer, { start, signal: context.signal });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    stoppedAt = error.offset;
  }
  const best = scores.reduce((a, b) => (b.matches > a.matches ? b : a));
  const path = source.label;
  const left = (what: string, why: string): NotChecked => ({ path, what, why, routine: false });
  const list: NotChecked[] = [];
  if (summer.malformed > 0) {
    list.push(left(`${summer.malformed} #HDR lines`, 'they are of an unknown version or say too little'));
  }
  if (stoppedAt >= 0)
    list.push(left('block checksums behind the damage', `nothing could be read at ${stoppedAt}`));
  if (best.matches < MATCHES_MIN) {
    if (blocks > 0)
      list.push(left(`checksums of ${blocks} blocks`, 'they agree with no known form of #HDR lines'));
    return list;
  }
  for (const { offset, length, stated, computed } of best.mismatches) {
    findings.add('aof/block-checksum', offset, { stated, computed, bytes: length });
  }
  const unlisted = best.mismatchCount - best.mismatches.length;
  if (unlisted > 0) list.push(left(`${unlisted} more findings of aof/block-checksum`, 'not listed'));
  return list;
}

function compare(score: Score, block: LogBlock, before: string | null): void {
  const { radix, withLine, chained } = score.reading;
  const stated = wordsOf(block.stated, radix);
  if (stated === null) {
    score.mismatchCount++;
    return;
  }
  // The first block of a file may go on from the last of the file before: it is compared with zero, and not counted.
  const seed = chained && before !== null ? wordsOf(before, radix) : { high: 0, low: 0 };
  const sum = { high: seed?.high ?? 0, low: seed?.low ?? 0 };
  if (withLine) combineCrc64(sum, { high: block.headHigh, low: block.headLow }, block.headBytes, sum);
  combineCrc64(sum, { high: block.bodyHigh, low: block.bodyLow }, block.length, sum);
  if (sum.high === stated.high && sum.low === stated.low) {
    score.matches++;
  } else if (!chained || before !== null) {
    score.mismatchCount++;
    if (score.mismatches.length === LISTED_MAX) return;
    const { offset, length } = block;
    const computed = checksumText(sum.high, sum.low);
    score.mismatches.push({ offset, length, stated: checksumText(stated.high, stated.low), computed });
  }
}

/** Null for a text that is no 64-bit number in this radix. */
function wordsOf(text: string, radix: 10 | 16): Words | null {
  if (!(radix === 10 ? /^\d+$/ : /^[\da-f]{1,16}$/i).test(text)) return null;
  const value = BigInt(radix === 10 ? text : `0x${text}`);
  if (value > 0xffff_ffff_ffff_ffffn) return null;
  return { high: Number(value >> 32n), low: Number(value & 0xffff_ffffn) };
}
