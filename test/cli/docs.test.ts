import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CATALOG } from '../../src/cli/catalog.js';
import { runCli } from './memory-io.js';

const PAGE = readFileSync('docs/commands.md', 'utf8');

it.each(CATALOG.map((entry) => entry.name))('docs/commands.md tells every option of %s', async (name) => {
  const { stdout } = await runCli(['help', name]);
  const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option!);
  expect(options.length).toBeGreaterThan(5);
  const untold = options.filter(
    (option) => !['--help', '--version'].includes(option) && !PAGE.includes(option),
  );
  expect(untold).toEqual([]);
  expect(PAGE).toContain(`## ${name}\n`);
});

it('docs/commands.md tells the exit codes of the help', async () => {
  const { stdout } = await runCli(['--help']);
  const codes = [...stdout.matchAll(/^ {2}(\d+) {2,}(.*)$/gm)];
  expect(codes.map(([, code]) => code)).toEqual(['0', '1', '2', '3', '4', '130']);
  for (const [, code, meaning] of codes) {
    expect(PAGE.replaceAll('`', '')).toContain(`| ${code} | ${meaning} |`);
  }
});
