import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { report } from '../../../src/tools/library/memory.js';
import { PAGE_SCRIPT, PAGE_STYLE } from '../../../src/tools/report/page/page.generated.js';
import type { PageData } from '../../../src/tools/report/page-data.js';
import { runCli } from '../../cli/memory-io.js';
import { corpusPath } from '../../support/corpus.js';
import { resp } from '../../support/resp.js';
import { temporaryDirectory } from '../../support/temporary.js';

const directory = temporaryDirectory('report');
let pages = 0;

/** A page of a source, and what its script would read. */
async function pageOf(source: string, ...options: string[]) {
  const path = join(directory, `${++pages}.html`);
  const ran = await runCli(['report', source, '-o', path, '--now', '1772366400', ...options]);
  const html = readFileSync(path, 'utf8');
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)!;
  return { ...ran, html, data: JSON.parse(json!) as PageData };
}

function logOf(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, 'latin1');
  return path;
}

it('is put together from the files of its folder', async () => {
  const build = '../../../src/tools/report/page/build.mjs';
  const { generate } = (await import(build)) as { generate: () => Promise<string> };
  const committed = readFileSync('src/tools/report/page/page.generated.ts', 'utf8');
  expect(await generate(), 'run: npm run build:page').toBe(committed);
});

it('lets its own script and style run and nothing else', async () => {
  const { html } = await pageOf(corpusPath('redis-7.0.15', 'types.rdb'));
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const [, policy] = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(html)!;
  expect(policy).toBe(
    `default-src 'none'; script-src ${hash(PAGE_SCRIPT)}; style-src ${hash(PAGE_STYLE)}; base-uri 'none'; form-action 'none'`,
  );
  expect(html.match(/<script>(.*?)<\/script>/s)![1]).toBe(PAGE_SCRIPT);
  expect(html.match(/<style>(.*?)<\/style>/s)![1]).toBe(PAGE_STYLE);
  expect(html).not.toMatch(/\ssrc=|\shref="(?!#)|\sstyle=|url\(|@import/);
});

it('holds what memory and check say of the same file', async () => {
  const source = corpusPath('redis-7.0.15', 'types.rdb');
  const { data, exit, stdout } = await pageOf(source);
  const memory = JSON.parse((await runCli(['memory', source, '--json', '--top', '2000'])).stdout);
  expect(exit).toBe(0);
  expect(stdout).toMatch(/\.html: \d+ kB\n$/);
  expect(data.findings).toEqual([]);
  expect(data.files).toMatchObject([{ path: source, verdict: 'intact', keys: memory.keys }]);
  expect(data.memory!.total).toMatchObject({ keys: memory.keys, memoryBytes: memory.memoryBytes });
  expect(data.memory!.keys).toHaveLength(memory.keys);
  expect(data.memory!.prefixes.map(([, , keys]) => keys)).toEqual(
    memory.prefixes.map(({ keys }: { keys: number }) => keys),
  );
  expect(data.log).toBeNull();
});

it('tells damage in the page and by its exit code', async () => {
  const bytes = readFileSync(corpusPath('redis-7.0.15', 'types.rdb'));
  const path = join(directory, 'cut.rdb');
  writeFileSync(path, bytes.subarray(0, bytes.length / 2));
  const { data, exit, stdout } = await pageOf(path);
  expect(exit).toBe(1);
  expect(stdout).toMatch(/\d+ errors? found\n$/);
  expect(data.findings[0]).toMatchObject({ code: 'rdb/truncated', severity: 'error', file: path });
  expect(data.memory).toBeNull();
  expect(data.failure).toMatch(/^What fills the memory is not known/);
});

it('places dangerous commands on the timeline, by time and by offset', async () => {
  const sets = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => `SET key:${from + i} value`);
  const timed = [
    ...sets(0, 10).flatMap((set, i) => [`#TS:${1000 + i}`, set]),
    'FLUSHALL',
    '#TS:1020',
    'SET a b',
  ];
  const byTime = (await pageOf(logOf('timed.aof', resp(...timed)))).data.log!;
  expect(byTime.rate).toMatchObject({ by: 'time', start: 1000, width: 1 });
  expect(byTime.dangers).toMatchObject([
    { kind: 'flushall', x: 9, number: 11, before: 10, timeMs: 1_009_000 },
  ]);
  const head = resp(...sets(0, 50));
  const byOffset = (await pageOf(logOf('plain.aof', head + resp('FLUSHALL', 'SET a b')))).data.log!;
  expect(byOffset.rate).toMatchObject({ by: 'offset', start: null });
  expect(byOffset.dangers).toMatchObject([{ kind: 'flushall', x: head.length, timeMs: null }]);
});

it('hides keys and values with --redact, wherever they stand', async () => {
  const source = logOf(
    'secret.aof',
    resp('SET secret:1 hush', 'RENAME secret:1 secret:2', 'SET secret:3 hush'),
  );
  const { html, data } = await pageOf(source, '--redact');
  expect(html.replaceAll(source, '').replaceAll(/secret\.aof/g, '')).not.toMatch(/secret|hush/);
  expect(data.redacted).toBe(true);
  expect(data.memory!.keys[0]![1]).toMatch(/^redacted:[0-9a-f]{16}$/);
});

it('is written whole or not at all, and never over another', async () => {
  const source = logOf('small.aof', resp('SET a b'));
  const out = join(directory, 'once.html');
  writeFileSync(out, 'mine');
  expect(await runCli(['report', source, '-o', out])).toMatchObject({ exit: 2, stdout: '' });
  expect(readFileSync(out, 'utf8')).toBe('mine');
  expect(await runCli(['report', source, '-o', out, '--force'])).toMatchObject({ exit: 0 });
  expect(readFileSync(out, 'utf8')).toMatch(/^<!doctype html>/);
  expect(await runCli(['report', source])).toMatchObject({ exit: 2 });
  expect(await runCli(['report', join(directory, 'no.aof'), '-o', join(directory, 'no.html')])).toMatchObject(
    { exit: 3 },
  );
  expect(existsSync(join(directory, 'no.html'))).toBe(false);
  const data = join(directory, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'appendonly.aof'), resp('SET a b'));
  expect(await runCli(['report', data, '-o', join(data, 'report.html')])).toMatchObject({ exit: 2 });
  expect(readdirSync(directory).filter((name) => name.includes('partial'))).toEqual([]);
});

it('goes to standard output', async () => {
  const source = logOf('piped.aof', resp('SET a b'));
  const { exit, stdout } = await runCli(['report', source, '-o', '-']);
  expect(exit).toBe(0);
  expect(stdout).toMatch(/^<!doctype html>.*<\/html>\n$/s);
});

it('is written for programs, too', async () => {
  const path = join(directory, 'library.html');
  const source = corpusPath('redis-7.0.15', 'small.rdb');
  const { bytes, memory } = await report(source, path, { nowMs: 1772366400000 });
  expect(readFileSync(path)).toHaveLength(bytes);
  expect(memory!.total.keys).toBe(19);
  await expect(report(source, path)).rejects.toThrow('exists');
});
