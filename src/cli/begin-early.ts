import { beginRdbAhead } from '../tools/check/rdb-ahead.js';

/** Options that change nothing of what is read. */
const INDIFFERENT = new Set([
  '--json',
  '-q',
  '--quiet',
  '-v',
  '--verbose',
  '--no-color',
  '--redact',
  '--strict',
]);

/** Begins with a check of one file, where the command line is plainly that, while the program is still being loaded. */
export async function beginEarly(argv: readonly string[]): Promise<void> {
  const [command, path, ...others] = argv.filter((word) => !INDIFFERENT.has(word));
  const isPlain = command === 'check' && path !== undefined && others.length === 0 && !path.startsWith('-');
  if (isPlain && /\.rdb$/i.test(path)) await beginRdbAhead(path);
}
