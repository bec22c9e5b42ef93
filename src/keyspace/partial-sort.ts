/**
 * Brings the items of ranks `[first, last]` into their places, as the servers' partial quicksort does: which of several
 * equal items ends up on which side of the range depends on its every exchange. (The partitioning is that of Bentley and
 * McIlroy, "Engineering a Sort Function".)
 */
export function partialSort<T>(
  items: T[],
  compare: (a: T, b: T) => number,
  first: number,
  last: number,
): void {
  sortRange(items, compare, 0, items.length, first, last);
}

type Compare<T> = (a: T, b: T) => number;

function sortRange<T>(
  items: T[],
  compare: Compare<T>,
  start: number,
  size: number,
  first: number,
  last: number,
): void {
  let from = start;
  let count = size;
  while (count >= 7) {
    swap(items, from, pivotOf(items, compare, from, count));
    const { below, above } = partition(items, compare, from, count);
    if (below > 1 && first < from + below && last >= from) {
      sortRange(items, compare, from, below, first, last);
    }
    from += count - above;
    count = above;
    if (above <= 1 || first >= from + above || last < from) return;
  }
  for (let i = from + 1; i < from + count; i++) {
    for (let k = i; k > from && compare(items[k - 1]!, items[k]!) > 0; k--) swap(items, k, k - 1);
  }
}

function pivotOf<T>(items: T[], compare: Compare<T>, from: number, count: number): number {
  let middle = from + (count >> 1);
  if (count === 7) return middle;
  let low = from;
  let high = from + count - 1;
  if (count > 40) {
    const step = count >> 3;
    low = median(items, compare, low, low + step, low + 2 * step);
    middle = median(items, compare, middle - step, middle, middle + step);
    high = median(items, compare, high - 2 * step, high - step, high);
  }
  return median(items, compare, low, middle, high);
}

function median<T>(items: T[], compare: Compare<T>, a: number, b: number, c: number): number {
  const [x, y, z] = [items[a]!, items[b]!, items[c]!];
  if (compare(x, y) < 0) return compare(y, z) < 0 ? b : compare(x, z) < 0 ? c : a;
  return compare(y, z) > 0 ? b : compare(x, z) < 0 ? a : c;
}

/** Parts the items by the pivot, which stands first. Returns how many are below and above; the equal ones are between. */
function partition<T>(
  items: T[],
  compare: Compare<T>,
  from: number,
  count: number,
): { below: number; above: number } {
  const pivot = items[from]!;
  const end = from + count;
  let equalLeft = from + 1;
  let left = equalLeft;
  let right = end - 1;
  let equalRight = right;
  for (;;) {
    for (; left <= right; left++) {
      const order = compare(items[left]!, pivot);
      if (order > 0) break;
      if (order === 0) swap(items, equalLeft++, left);
    }
    for (; left <= right; right--) {
      const order = compare(items[right]!, pivot);
      if (order < 0) break;
      if (order === 0) swap(items, right, equalRight--);
    }
    if (left > right) break;
    swap(items, left++, right--);
  }
  // Equal items were gathered at both ends: bring them to the middle.
  const fromLeft = Math.min(equalLeft - from, left - equalLeft);
  for (let i = 0; i < fromLeft; i++) swap(items, from + i, left - fromLeft + i);
  const fromRight = Math.min(equalRight - right, end - equalRight - 1);
  for (let i = 0; i < fromRight; i++) swap(items, left + i, end - fromRight + i);
  return { below: left - equalLeft, above: equalRight - right };
}

function swap<T>(items: T[], a: number, b: number): void {
  const item = items[a]!;
  items[a] = items[b]!;
  items[b] = item;
}
