import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary.js';

let program = '';

/**
 * The path of the program as a process can run it, bundled from the sources as they are now, as `npm run build` does and
 * without its checks. Made once for all test files of a worker; not to be changed.
 */
export function builtProgram(): string {
  if (program === '') program = build();
  return program;
}

function build(): string {
  const directory = temporaryDirectory('built');
  const bin = join(directory, 'dist', 'bin');
  const home = process.cwd();
  const rolldown = join(home, 'node_modules', 'rolldown', 'bin', 'cli.mjs');
  const settings = join('.config', 'rolldown.config.js');
  execFileSync(process.execPath, [rolldown, '-c', settings, '--dir', bin, '--logLevel', 'silent'], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  writeFileSync(join(directory, 'package.json'), readFileSync(join(home, 'package.json')));
  symlinkSync(join(home, 'node_modules'), join(directory, 'node_modules'));
  return join(bin, 'rekindle.js');
}
