// Puts the script and the style sheet of a report into page.generated.ts, so that they are there in whatever form the
// program is installed. Run by `npm run build:page`; a test puts them together again and compares.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Modules in the order in which each finds what it imports. */
const MODULES = ['dom.js', 'format.js', 'table.js', 'treemap.js', 'charts.js', 'page.js'];

const read = (name) => readFile(new URL(name, import.meta.url), 'utf8');

/** One script of all modules: their names are different, so they share one function. */
async function script() {
  const texts = await Promise.all(MODULES.map(read));
  const joined = texts
    .map((text) => text.replace(/^import .*;\n/gm, '').replace(/^export /gm, ''))
    .join('\n');
  return `'use strict';\n(() => {\n${joined}})();\n`;
}

/** The whole text of page.generated.ts. */
export async function generate() {
  return [
    '// Made by `npm run build:page` from the files in this folder. Do not edit.',
    `export const PAGE_SCRIPT = ${JSON.stringify(await script())};`,
    `export const PAGE_STYLE = ${JSON.stringify(await read('page.css'))};`,
    '',
  ].join('\n\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL('page.generated.ts', import.meta.url), await generate());
}
