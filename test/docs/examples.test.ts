import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../cli/memory-io.js';
import { describeServer, TestServer } from '../support/server.js';
import { temporaryDirectory } from '../support/temporary.js';
import { type Example, type Page, readPage } from './page.js';
import { DocsSession, sourcePath } from './session.js';

// Every console and sh block of the README and of docs/ is run, in the order of its page. What a console block shows
// must be what comes out, but for lengths of time; a line that is … stands for any lines, … within one for any
// characters. UPDATE_GOLDEN=1 writes what came out into the blocks without such; review it as a diff.

const PAGES = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]
  .map((path) => readPage(path))
  .filter((page) => page.examples.length > 0 || page.inline.length > 0);

/** Examples that nothing here can run, each with the reason its page gives. */
const NOT_RUN = PAGES.flatMap(({ path, examples }) =>
  examples.filter(({ notRun }) => notRun !== '').map(({ notRun }) => `${path}: ${notRun}`),
);

it('few examples are not run', () =>
  expect(NOT_RUN).toMatchInlineSnapshot(`
    [
      "README.md: it installs the package for the whole machine",
      "README.md: it is this test's own run",
      "docs/check-aof.md: it writes to /usr/local/bin",
      "docs/check-aof.md: the name depends on the time of the backup",
      "docs/convert.md: a server that stays",
      "docs/deploy.md: it changes the system",
      "docs/deploy.md: it takes a cluster",
      "docs/deploy.md: it takes docker",
      "docs/log.md: it goes on until it is ended",
      "docs/scripts.md: it installs a package",
    ]
  `));

for (const page of PAGES.filter((each) => each.examples.some(({ notRun }) => notRun === ''))) {
  if (page.server === null) describe(page.path, () => runPage(page));
  else describeServer(page.path, () => runPage(page));
}

function runPage(page: Page): void {
  let server: TestServer | null = null;
  let session: DocsSession;
  beforeAll(async () => {
    if (page.server !== null) {
      const rdb = page.server === 'empty' ? {} : { rdb: sourcePath(page.server) };
      server = await TestServer.start({ writable: true, ...rdb });
    }
    session = new DocsSession(server === null ? '' : `unix://${server.socket}`);
  });
  afterAll(async () => server?.stop());
  for (const example of page.examples) {
    const title = `line ${example.line}`;
    if (example.notRun !== '') continue;
    if (example.kind === 'sh') it(title, () => runCommands(session, example));
    else it(title, () => runConsole(session, example, page));
  }
}

async function runCommands(session: DocsSession, example: Example): Promise<void> {
  session.prepare(example);
  const lines = example.text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/\s+#\s.*$/, ''))
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  expect(lines.length).toBeGreaterThan(0);
  for (const [index, line] of lines.entries()) {
    const { exit, text } = await session.run(line);
    expect(exit, `${line}\n${text}`).toBe(index === lines.length - 1 ? example.exits : 0);
  }
}

async function runConsole(session: DocsSession, example: Example, page: Page): Promise<void> {
  session.prepare(example);
  const steps = example.text.split(/^\$ /m).slice(1);
  expect(steps.length).toBeGreaterThan(0);
  let shown = '';
  for (const step of steps) {
    const [, command, expected] = /^((?:[^\n]*\\\n)*[^\n]*)\n([\s\S]*)$/.exec(step)!;
    const { text } = await session.run(command!.replaceAll('\\\n', ' '));
    shown += `$ ${command}\n${matches(expected!, text) ? expected : text}`;
    if (process.env['UPDATE_GOLDEN'] === '1' && !expected!.includes('…')) continue;
    if (!matches(expected!, text)) expect(text, `$ ${command}`).toBe(expected);
  }
  if (process.env['UPDATE_GOLDEN'] === '1' && !matches(example.text, shown)) {
    writeFileSync(
      page.path,
      readFileSync(page.path, 'utf8').replace(example.text, () => shown),
    );
  }
}

const LENGTH_OF_TIME = /\b\d[\d,.]* (?:ms|s|min)\b/g;

function matches(expected: string, actual: string): boolean {
  const pattern = expected
    .replace(LENGTH_OF_TIME, '<time>')
    .replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replaceAll(/^…\n/gm, '(?:.*\\n)*?')
    .replaceAll('…', '.*');
  return new RegExp(`^${pattern}$`).test(actual.replace(LENGTH_OF_TIME, '<time>'));
}

describe('command lines in running text', () => {
  const home = process.cwd();
  beforeAll(() => process.chdir(temporaryDirectory('docs-inline')));
  afterAll(() => process.chdir(home));

  // In an empty directory nothing is found to work on: what is left to fail is the command line itself.
  it.each(PAGES.filter((page) => page.inline.length > 0))('$path', async ({ inline, path }) => {
    const refused: string[] = [];
    for (const { command, line } of inline) {
      const argv = [
        ...command.replace(/ *(?:[|<>]|&&|;) .*$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g),
      ].map(([, a, b, c]) => a ?? b ?? c!);
      if (argv[0] !== 'rekindle' || argv.some((word) => /:\/\/|^URL$|^COMMAND$|^SHELL$|…/.test(word)))
        continue;
      const { exit, stderr } = await runCli(argv.slice(1));
      if (exit === 2 && !/missing required argument|needs a terminal/.test(stderr))
        refused.push(`${path}:${line}: ${command}: ${stderr}`);
    }
    expect(refused).toEqual([]);
  });
});
