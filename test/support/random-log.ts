import type { Random } from './random.js';
import { resp } from './resp.js';

/** A log of at least so many records: some of those given, alone or in a transaction, and annotations. */
export function randomLog(random: Random, words: readonly string[], records: number): string {
  const lines: string[] = [];
  while (lines.length < records) {
    const word = random.pick(words);
    if (random.once(5)) lines.push('MULTI', word, 'DEL x', 'EXEC');
    else if (random.once(9)) lines.push(`#TS:${1772366400 + lines.length}`);
    else lines.push(word);
  }
  return resp(...lines);
}
