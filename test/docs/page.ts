import { readFileSync } from 'node:fs';

/** One fenced block of a page: `console` blocks show what comes out, `sh` blocks are commands alone. */
export interface Example {
  /** Line of the page, from 1, on which the block's first line stands. */
  readonly line: number;
  readonly kind: 'console' | 'sh';
  readonly text: string;
  /** Why the block can't be run here; empty when it is run. */
  readonly notRun: string;
  /** What the last command of an `sh` block ends with. */
  readonly exits: number;
  /** Files the page speaks of from here on, by the names it uses, each with where it comes from (see session.ts). */
  readonly files: readonly (readonly [string, string])[];
  /** Shell lines that a reader need not see, run before the block. */
  readonly setup: string;
}

export interface Page {
  readonly path: string;
  /** What the server at redis://localhost:6379 holds: `empty`, or a file as above; null where nothing is asked of one. */
  readonly server: string | null;
  readonly examples: readonly Example[];
  /** Command lines within running text and tables, with their line. */
  readonly inline: readonly { readonly line: number; readonly command: string }[];
}

const DIRECTIVE = /<!-- example (files|setup|server|not run|exits):?\s+([\s\S]*?)\s*-->/y;
const FENCE = /^```(\w*)\n([\s\S]*?)^```$/my;

/**
 * Reads the examples of a Markdown page. Comments that no reader sees say what they need:
 * `example files: NAME = SOURCE; …`, `example setup: SHELL`, `example not run: WHY` and `example exits: CODE` for what comes
 * next, `example server: SOURCE` for the page.
 */
export function readPage(path: string): Page {
  const text = readFileSync(path, 'utf8');
  let files: [string, string][] = [];
  let setup: string[] = [];
  const examples: Example[] = [];
  const inline: { line: number; command: string }[] = [];
  let server: string | null = null;
  let notRun = '';
  let exits = 0;
  const lineAt = (position: number): number => text.slice(0, position).split('\n').length;
  for (let position = 0; position < text.length; ) {
    DIRECTIVE.lastIndex = position;
    FENCE.lastIndex = position;
    const directive = DIRECTIVE.exec(text);
    const fence = directive === null ? FENCE.exec(text) : null;
    if (directive !== null) {
      const [, name, words] = directive;
      if (name === 'files') files.push(...pairs(words!));
      if (name === 'setup') setup.push(words!);
      if (name === 'server') server = words!;
      if (name === 'not run') notRun = words!;
      if (name === 'exits') exits = Number(words);
      position = DIRECTIVE.lastIndex;
    } else if (fence !== null) {
      const [, language, body] = fence;
      if (language === 'console' || language === 'sh') {
        const line = lineAt(position) + 1;
        examples.push({ line, kind: language, text: body!, notRun, exits, files, setup: setup.join('\n') });
        files = [];
        setup = [];
      }
      notRun = '';
      exits = 0;
      position = FENCE.lastIndex;
    } else {
      const end = text.indexOf('\n', position);
      const line = text.slice(position, end < 0 ? text.length : end);
      for (const [, command] of line.matchAll(/`(rekindle(?:-check-\w+)? [^`]+)`/g)) {
        inline.push({ line: lineAt(position), command: command!.replaceAll('\\|', '|') });
      }
      position = end < 0 ? text.length : end + 1;
    }
  }
  return { path, server, examples, inline };
}

function pairs(words: string): [string, string][] {
  return words
    .split(/;|\n/)
    .filter((pair) => pair.trim() !== '')
    .map((pair) => {
      const [to, from] = pair.split('=').map((side) => side.trim());
      if (!to || !from) throw new Error(`an example's file is told as NAME = SOURCE, not ${pair}`);
      return [to, from];
    });
}
