import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ARCHIVED_SERVERS, corpusPath, corruptCases, testdata } from '../support/corpus.js';
import { recoveryDirectory } from '../support/recovery.js';
import { temporaryDirectory } from '../support/temporary.js';
import { runCli } from './memory-io.js';

// A case is a folder of testdata/cli: `cmd` holds the command line, `stdout`, `stderr` and `exit` what came of it. It
// runs in a fresh directory that shows, by the names a reader would expect: `redis-7.0.15/…` and the like (intact
// files), `corrupt/redis-7.0.15/…`, `recovery/…` (directories of crashed servers), `input/…` (files of the case itself)
// and `empty` (a directory). `< FILE` at the end is standard input. UPDATE_GOLDEN=1 writes what comes out; review it as a diff.

const CASES = readdirSync(testdata('cli'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
const HOME = process.cwd();

afterAll(() => process.chdir(HOME));

it.each(CASES.map((entry) => entry.name))('%s', async (name) => {
  const folder = testdata('cli', name);
  const line = readFileSync(join(folder, 'cmd'), 'utf8').trim();
  process.chdir(showInputs(folder, line));
  const [, command, stdin] = /^rekindle (.*?)(?: < (\S+))?$/s.exec(line) ?? [];
  if (command === undefined) throw new Error(`${name}/cmd is no rekindle command: ${line}`);
  const env = { REKINDLE_REDACT_KEY: 'golden' };
  const input = stdin === undefined ? {} : { stdin: readFileSync(stdin) };
  const ran = await runCli(words(command), { env, ...input });
  const { stdout, stderr, exit } = ran;
  for (const [file, text] of Object.entries({ stdout, stderr, exit: `${exit}\n` })) {
    const path = join(folder, file);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
    expect(text, `${name}/${file}`).toBe(readFileSync(path, 'utf8'));
  }
});

/** A fresh directory with links to everything the command line names. */
function showInputs(folder: string, line: string): string {
  const directory = temporaryDirectory('golden');
  mkdirSync(join(directory, 'empty'));
  if (existsSync(join(folder, 'input'))) symlinkSync(join(folder, 'input'), join(directory, 'input'));
  for (const [, name] of line.matchAll(/recovery\/([\w-]+)/g)) {
    recoveryDirectory(name!, join(directory, 'recovery', name!));
  }
  for (const server of ARCHIVED_SERVERS) {
    if (line.includes(` ${server}/`)) symlinkSync(corpusPath(server, '.'), join(directory, server));
  }
  for (const [, server, file] of line.matchAll(/corrupt\/([^/\s]+)\/([\w.-]+)/g)) {
    const { path } = corruptCases(server!).find(({ name }) => name === file || file!.startsWith(`${name}.`))!;
    const link = join(directory, 'corrupt', server!, file!);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link)) symlinkSync(path, link);
  }
  return directory;
}

/** Words as a shell would split them: blanks separate, single and double quotes hold together. */
function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare!,
  );
}
