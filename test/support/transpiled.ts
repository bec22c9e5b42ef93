import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { temporaryDirectory } from './temporary.js';

let program = '';

/**
 * The path of the program as a process can run it, each file translated by itself: quicker than a build, and without its
 * checks. Made once for all test files of a worker; not to be changed.
 */
export function transpiledProgram(): string {
  if (program === '') program = transpile();
  return program;
}

function transpile(): string {
  const build = temporaryDirectory('transpiled');
  const home = process.cwd();
  for (const folder of ['src', 'bin']) {
    const entries = readdirSync(join(home, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.d.ts')) continue;
      const path = join(entry.parentPath, entry.name);
      const to = join(build, relative(home, path)).replace(/\.ts$/, '.js');
      const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      });
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, outputText);
    }
  }
  writeFileSync(join(build, 'package.json'), readFileSync(join(home, 'package.json')));
  symlinkSync(join(home, 'node_modules'), join(build, 'node_modules'));
  return join(build, 'bin', 'rekindle.js');
}
