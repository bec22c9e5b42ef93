import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CATALOG } from '../../src/cli/catalog.js';
import { manualPages } from '../../src/cli/describe/manual.js';
import { type CommandOutline, outlineOf, type ProgramOutline } from '../../src/cli/describe/outline.js';
import { wholeProgram } from '../../src/cli/program.js';
import { VERSION } from '../../src/cli/version.js';
import { SERVER_MESSAGES } from '../../src/tools/doctor/catalog.js';
import { temporaryDirectory } from '../support/temporary.js';

let program: ProgramOutline;
let pages: Map<string, string>;

beforeAll(async () => {
  program = outlineOf(await wholeProgram());
  pages = manualPages(program, VERSION);
});

const outline = (name: string): CommandOutline => program.commands.find((command) => command.name === name)!;

/** Options that a command line names and its command does not have. */
function strangeOptions(line: string): string[] {
  const [, name, ...words] = line.replaceAll(/'[^']*'|"[^"]*"/g, 'x').split(/\s+/);
  const command = outline(name!);
  if (command === undefined) return [`no command ${name}`];
  const known = [...command.options, ...program.options].flatMap(({ long, short }) => [long, short]);
  return words.filter((word) => /^--?[a-z]/i.test(word) && !known.includes(word.split('=')[0]!));
}

describe.each(CATALOG.map(({ name }) => name))('the help of %s', (name) => {
  it('has examples, whose options exist', () => {
    const { more } = outline(name);
    const [, examples = ''] = /^Examples:\n([\s\S]*?)(?:\n\n|$)/m.exec(more) ?? [];
    const lines = examples.split('\n').filter((line) => line.includes(`rekindle ${name}`));
    expect(lines.length, `${name} has no examples`).toBeGreaterThan(0);
    for (const line of lines) {
      const [command] = line.slice(line.indexOf(`rekindle ${name}`)).split(/ {2,}|\)| \| | && /);
      expect(strangeOptions(command!), line).toEqual([]);
    }
  });

  it('says what each option is for', () => {
    for (const { flags, what } of outline(name).options) expect(what, flags).not.toBe('');
  });
});

it('every command that doctor advises exists, with its options', () => {
  for (const { id, remedies } of SERVER_MESSAGES) {
    expect(remedies.length, id).toBeGreaterThan(0);
    for (const { command } of remedies) {
      if (command.startsWith('rekindle ')) expect(strangeOptions(command), `${id}: ${command}`).toEqual([]);
    }
  }
});

it('every command has a page, and the page of the program names them', () => {
  expect([...pages.keys()].sort()).toEqual(
    ['rekindle.1', ...CATALOG.map(({ name }) => `rekindle-${name}.1`)].sort(),
  );
  const { man } = JSON.parse(readFileSync('package.json', 'utf8')) as { man: string[] };
  expect([...pages.keys()].filter((name) => !man.includes(`dist/man/${name}`))).toEqual([]);
  for (const { name } of CATALOG) expect(pages.get('rekindle.1')).toContain(name.replaceAll('-', '\\-'));
});

const absence =
  spawnSync('mandoc', ['-T', 'lint', '/dev/null']).error === undefined ? '' : 'mandoc is not installed';
if (absence !== '') console.warn(`skipped: lint of the manual: ${absence}`);

it.skipIf(absence !== '')(`the pages are clean roff, and show what the help says ${absence}`, () => {
  const directory = temporaryDirectory('manual');
  const paths = [...pages].map(([name, page]) => {
    const path = join(directory, name);
    writeFileSync(path, page);
    return path;
  });
  const lint = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', ...paths], { encoding: 'utf8' });
  // A page without a date is the same whenever it is built.
  const complaints = lint.stdout.split('\n').filter((line) => line !== '' && !line.includes('missing date'));
  expect(complaints).toEqual([]);
  const shown = spawnSync(
    'mandoc',
    ['-T', 'ascii', '-O', 'width=300', join(directory, 'rekindle-repair.1')],
    {
      encoding: 'utf8',
    },
  );
  const text = shown.stdout.replace(/.\u0008/g, '');
  expect(text).toContain('--quarantine <file>');
  expect(text).toContain('rekindle repair dump.rdb --out fixed.rdb');
  expect(text).toContain('EXIT STATUS');
  expect(text).not.toContain('\\-');
});
