import type { Command } from './connection.js';

/**
 * The smallest sequence found that still fails: commands are taken out by halves, quarters, … down to single ones, then
 * words of what is left, then bytes of long words. Each step keeps what fails.
 */
export async function shrink(
  commands: readonly Command[],
  fails: (commands: readonly Command[]) => Promise<boolean>,
): Promise<readonly Command[]> {
  let best = await without(commands, fails);
  for (let i = 0; i < best.length; i++) {
    const rest = (words: Command): readonly Command[] => best.map((each, k) => (k === i ? words : each));
    const [name, ...args] = best[i]!;
    const fewer = await without(args, (left) => fails(rest([name!, ...left])));
    best = rest([name!, ...fewer]);
    for (let k = 1; k < best[i]!.length; k++) {
      for (const shorter of simpler(best[i]![k]!)) {
        const tried = rest(best[i]!.map((word, at) => (at === k ? shorter : word)));
        if (!(await fails(tried))) continue;
        best = tried;
        break;
      }
    }
  }
  return without(best, fails);
}

async function without<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let best = items;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length; ) {
      const tried = [...best.slice(0, at), ...best.slice(at + size)];
      if (await fails(tried)) best = tried;
      else at += size;
    }
  }
  return best;
}

function simpler(word: string | Buffer): string[] {
  if (word.length <= 2) return [];
  const text = word.toString('latin1');
  return ['', 'a', '1', text.slice(0, text.length >> 1)];
}
