import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { corpusPath } from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';

// Runs every example of docs/library.md and compares what it prints with its own comments.

const ROOT = process.cwd();
const INDEX = pathToFileURL(join(ROOT, 'src/index.ts')).href;
const PAGE = readFileSync('docs/library.md', 'utf8');
const EXAMPLES = [...PAGE.matchAll(/^## ([^\n]*)$|^```ts\n(.*?)^```$/gms)].reduce<
  { title: string; code: string }[]
>((found, [, title, code]) => {
  if (title !== undefined) found.push({ title, code: '' });
  else found.push({ title: found.at(-1)!.title, code: code! });
  return found;
}, []);

afterAll(() => process.chdir(ROOT));

describe('docs/library.md', () => {
  it.each(EXAMPLES.filter((example) => example.code !== ''))('$title', async ({ code }) => {
    const directory = temporaryDirectory('library');
    cpSync(corpusPath('redis-7.0.15', 'small.rdb'), join(directory, 'dump.rdb'));
    cpSync(corpusPath('redis-7.0.15', 'seed-app/appendonlydir'), join(directory, 'appendonlydir'), {
      recursive: true,
    });
    const module = join(directory, 'example.ts');
    writeFileSync(module, code.replaceAll("from 'rekindle'", `from '${INDEX}'`));
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
      printed.push(values.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(' '));
    });
    process.chdir(directory);
    try {
      await import(module);
    } finally {
      process.chdir(ROOT);
      log.mockRestore();
    }
    const expected = [...code.matchAll(/console\.log\(.*; \/\/ (.*)$/gm)].map(([, text]) => text);
    expect(expected.length).toBeGreaterThan(0);
    expect(printed).toEqual(expected);
  });
});
