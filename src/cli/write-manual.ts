import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manualPages } from './describe/manual.js';
import { outlineOf } from './describe/outline.js';
import { wholeProgram } from './program.js';
import { VERSION } from './version.js';

// Run by the build: writes the manual pages into the directory it is given.

const [directory = 'man'] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const outline = outlineOf(await wholeProgram());
for (const [name, page] of manualPages(outline, VERSION)) writeFileSync(join(directory, name), page);
