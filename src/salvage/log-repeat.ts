import type { LogProbe } from './log-probe.js';

/** A shorter stretch says nothing: commands repeat themselves. */
const SHORTEST = 48;
/** Places that are compared in full. */
const TRIED = 256;

/**
 * Tells whether the records at `start`, behind a damaged one at `damaged`, are a block that was written twice: then they
 * repeat what stands before the damage byte for byte, and the damaged record is the beginning of the one that follows
 * them and the end of the one in front of the first copy. Returns where the second copy ends and that record begins, -1
 * when there is no such place, or more than one. Blocks up to half of what the probe holds are found.
 */
export async function findRepeat(probe: LogProbe, damaged: number, start: number): Promise<number> {
  const torn = start - damaged;
  const back = Math.min(damaged, probe.most >> 1);
  if (torn > probe.most >> 2 || back < SHORTEST) return -1;
  const from = damaged - back;
  const first = back + torn;
  if ((await probe.load(from, first + SHORTEST)) < first + SHORTEST) return -1;
  const at = probe.window.position;
  const before = Buffer.from(probe.window.bytes.subarray(at, at + back));
  const piece = Buffer.from(probe.window.bytes.subarray(at + back, at + first));
  const sample = Buffer.from(probe.window.bytes.subarray(at + first, at + first + SHORTEST));

  const here = await probe.load(start, back + torn);
  const { bytes, position } = probe.window;
  const behind = bytes.subarray(position, position + here);
  let found = -1;
  for (let copy = before.lastIndexOf(sample), tried = 0; copy >= 0 && tried < TRIED; tried++) {
    const length = back - copy;
    const next = behind.subarray(length, length + torn);
    if (
      before.compare(behind, 0, Math.min(length, here), copy) === 0 &&
      sameStart(piece, next) + sameEnd(piece, before.subarray(0, copy)) >= torn
    ) {
      if (found >= 0) return -1;
      found = start + length;
    }
    copy = copy === 0 ? -1 : before.lastIndexOf(sample, copy - 1);
  }
  return found;
}

function sameStart(a: Buffer, b: Buffer): number {
  let count = 0;
  while (count < a.length && a[count] === b[count]) count++;
  return count;
}

function sameEnd(a: Buffer, b: Buffer): number {
  let count = 0;
  while (count < a.length && count < b.length && a[a.length - 1 - count] === b[b.length - 1 - count]) count++;
  return count;
}
