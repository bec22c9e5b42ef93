import { UsageError } from '../errors.js';
import { Glob } from '../model/glob.js';
import { splitWords } from '../model/words.js';
import type { CommandSpans } from './command.js';

/**
 * Commands by their words: one glob for each of the leading arguments, the name in any case. Arguments beyond the
 * pattern's do not matter: `DEL user:*` is any DEL whose first key begins so, `FLUSHALL` also `FLUSHALL ASYNC`.
 */
export class CommandPattern {
  private readonly globs: readonly Glob[];

  /**
   * @param text words as redis-cli takes them, quotes included
   * @throws UsageError when there is no word or a quote is not closed
   */
  constructor(readonly text: string) {
    const words = splitWords(Buffer.from(text, 'utf8').latin1Slice());
    if (words === null || words.length === 0) {
      throw new UsageError(`not a command pattern: ${text}`, 'try FLUSHALL, or "DEL user:*"');
    }
    this.globs = words.map((word, i) => new Glob(word, i === 0));
  }

  matches(command: CommandSpans): boolean {
    const { globs } = this;
    if (command.held < globs.length) return false;
    for (let i = 0; i < globs.length; i++) {
      if (!globs[i]!.matches(command.bytes, command.starts[i]!, command.ends[i]!)) return false;
    }
    return true;
  }
}
