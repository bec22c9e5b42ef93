/** Inputs are of about the size that was asked for. */
const ABOUT = 0.9;

/**
 * What was asked of a job beside what came out: one `{what, asked, got, met}` for each part of its goal that could be
 * measured. On an input smaller than the goal is asked of, `met` is null, and `atBytes` says of what size it is. `baseBytes`: the
 * memory of a command that does nothing.
 */
export function judge(goal, { inputBytes, ours, theirs, keys }, baseBytes) {
  const parts = [];
  const { atBytes } = goal;
  const tooSmall = atBytes !== undefined && inputBytes < ABOUT * atBytes;
  const add = (what, asked, got, met) =>
    parts.push(tooSmall ? { what, asked, got, met: null, atBytes } : { what, asked, got, met });
  if (goal.speed !== undefined && theirs) {
    const got = theirs.seconds / ours.seconds;
    add('speed', goal.speed, got, got >= goal.speed);
  }
  if (ours.peakBytes === null) return parts;
  if (goal.peakBytes !== undefined) {
    add('peakBytes', goal.peakBytes, ours.peakBytes, ours.peakBytes <= goal.peakBytes);
  }
  if (goal.peakRatio !== undefined && theirs) {
    const got = ours.peakBytes / theirs.peakBytes;
    add('peakRatio', goal.peakRatio, got, got <= goal.peakRatio);
  }
  if (goal.bytesPerKey !== undefined && keys > 0) {
    const got = (ours.peakBytes - baseBytes) / keys;
    add('bytesPerKey', goal.bytesPerKey, got, got <= goal.bytesPerKey);
  }
  return parts;
}

const WORDS = {
  speed: (number) => `${Number(number.toFixed(number < 10 ? 2 : 1))}x`,
  peakBytes: (bytes) => `${(bytes / 1e6).toFixed(0)} MB`,
  peakRatio: (ratio) => `${Number(ratio.toFixed(2))}x memory`,
  bytesPerKey: (bytes) => `${bytes.toFixed(0)} B a key`,
  extraMs: (ms) => `${ms.toFixed(0)} ms`,
};

/** The goal of a job in one cell: `12x, 96 MB: met`, or `12x, 96 MB at 1 GB` where the input was smaller. */
export function goalCell(parts) {
  if (parts === undefined || parts.length === 0) return '-';
  const asked = parts.map(({ what, asked }) => WORDS[what](asked)).join(', ');
  if (parts[0].met === null) return `${asked} at ${parts[0].atBytes / 1e9} GB`;
  const missed = parts.filter(({ met }) => !met);
  if (missed.length === 0) return `${asked}: met`;
  return `${asked}: not met (${missed.map(({ what, got }) => WORDS[what](got)).join(', ')})`;
}
