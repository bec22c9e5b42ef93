/**
 * The word that was most likely meant by another: one slip of the finger or two away, or one that it begins. Null when
 * none is near. Letters count whatever their case.
 */
export function nearest(given: string, words: readonly string[]): string | null {
  const asked = given.toLowerCase();
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const word of words) {
    const own = word.toLowerCase();
    const distance = own.startsWith(asked) && asked.length >= 2 ? 0.5 : slips(asked, own);
    const allowed = Math.max(1, Math.floor(Math.min(asked.length, own.length) / 3));
    if (distance <= allowed && distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/** Words longer than this are names of files, and compared by their first letters. */
const LENGTH_MAX = 100;

/** Letters that were left out, put in, changed or swapped with the next, to make one word of the other. */
function slips(one: string, other: string): number {
  const a = one.slice(0, LENGTH_MAX);
  const b = other.slice(0, LENGTH_MAX);
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, changed);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/** `did you mean redis-6.2?`, for a hint; '' when nothing is near. */
export function didYouMean(given: string, words: readonly string[]): string {
  const word = nearest(given, words);
  return word === null ? '' : `did you mean ${word}?`;
}
