import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { FindingCode } from '../../src/model/finding.js';
import { type Verdict, worstVerdict } from '../../src/model/verdict.js';
import { runCli } from '../cli/memory-io.js';
import {
  CORRUPT_SERVERS,
  type CorpusCase,
  type CorruptTruth,
  corruptCases,
  testdata,
} from '../support/corpus.js';
import { THOROUGH } from '../support/effort.js';
import { serverVerdict } from '../support/verdict.js';
import { DIFFERENCES, type Difference } from './differences.js';

const UPDATE = process.env['UPDATE_GOLDEN'] === '1';
const VERDICTS: readonly Verdict[] = ['intact', 'loss', 'refused'];

interface Row {
  readonly name: string;
  readonly what: string;
  readonly server: Verdict;
  readonly ours: Verdict;
  readonly codes: readonly string[];
  /** Null where both say the same, or where nobody has given a reason. */
  readonly difference: Difference | null;
}

const rows = new Map<string, readonly Row[]>();

describe.each(CORRUPT_SERVERS)('damaged files of %s', (server) => {
  test('get the verdicts of the table', { timeout: 120_000 }, async () => {
    const cases = corruptCases(server);
    const kept = keptRows(server);
    const own: Row[] = [];
    // Some at a time: a check of a small file mostly waits for the disk.
    for (let i = 0; i < cases.length; i += 8) {
      own.push(...(await Promise.all(cases.slice(i, i + 8).map((one) => rowOf(one, kept)))));
    }
    rows.set(server, own);
    const unexplained = own.filter((row) => row.server !== row.ours && row.difference === null);
    expect(unexplained.map(({ name, server, ours }) => `${name}: server ${server}, ours ${ours}`)).toEqual(
      [],
    );
    expectKept(testdata('verdicts', `${server}.tsv`), tableOf(own));
  });
});

test('every deliberate difference is one', () => {
  const used = new Set([...rows.values()].flat().map((row) => row.difference));
  const needless = DIFFERENCES.filter((each) => !used.has(each));
  expect(needless.map(({ cases }) => cases)).toEqual([]);
});

test('the page on verdicts counts them and gives every reason', () => {
  const page = new URL('../../docs/verdicts.md', import.meta.url);
  const [words] = readFileSync(page, 'utf8').split(MARK, 1);
  expectKept(page, `${words}${MARK}\n\n${countsOf(rows)}\n${reasonsOf(rows)}`);
});

const MARK = '<!-- What follows is written by test/corpus/verdicts.test.ts. -->';

/**
 * What the table says of a case, checked anew. In a plain run that is one of three: the same is done to files of every
 * server, and of one server others are checked than of the next.
 */
async function rowOf(
  one: CorpusCase<CorruptTruth>,
  kept: ReadonlyMap<string, readonly string[]>,
): Promise<Row> {
  const isTurn = (one.name.length + CORRUPT_SERVERS.indexOf(one.server)) % 3 === 0;
  const row = kept.get(one.name);
  if (THOROUGH || UPDATE || isTurn || row === undefined) return judge(one);
  const [, , , ours, codes] = row;
  const { name, truth } = one;
  const server = serverVerdict(truth);
  const difference = differenceOf(one, server, ours as Verdict);
  return { name, what: truth.what, server, ours: ours as Verdict, codes: codes!.split(' '), difference };
}

/** The cells of the table that is kept, by case. */
function keptRows(server: string): Map<string, readonly string[]> {
  const lines = readFileSync(testdata('verdicts', `${server}.tsv`), 'utf8')
    .trim()
    .split('\n');
  return new Map(lines.map((line) => line.split('\t')).map((cells) => [cells[0]!, cells]));
}

async function judge(one: CorpusCase<CorruptTruth>): Promise<Row> {
  const { name, title, truth } = one;
  const startedAt = performance.now();
  const { exit, stdout } = await runCli(['check', one.path, '--json']);
  expect(performance.now() - startedAt, title).toBeLessThan(10_000);
  const report = JSON.parse(stdout) as {
    readonly ok: boolean;
    readonly files: readonly {
      readonly bytes: number | null;
      readonly validBytes: number | null;
      readonly problems: readonly { readonly code: FindingCode }[];
    }[];
  };
  expect(report.ok, title).toBe(exit === 0);
  for (const file of report.files) expect(file.validBytes ?? 0, title).toBeLessThanOrEqual(file.bytes ?? 0);
  const codes = [...new Set(report.files.flatMap((file) => file.problems.map(({ code }) => code)))].sort();
  const server = serverVerdict(truth);
  const ours = worstVerdict(codes);
  if (ours !== 'intact') expect(exit, title).toBe(1);
  return { name, what: truth.what, server, ours, codes, difference: differenceOf(one, server, ours) };
}

function differenceOf(one: CorpusCase<CorruptTruth>, server: Verdict, ours: Verdict): Difference | null {
  if (server === ours) return null;
  const reasons = DIFFERENCES.filter(
    (each) => each.ours === ours && each.cases.includes(one.name) && (each.servers?.test(one.server) ?? true),
  );
  expect(reasons.length, `reasons for ${one.title}`).toBeLessThan(2);
  return reasons[0] ?? null;
}

function tableOf(own: readonly Row[]): string {
  const lines = own.map(({ name, what, server, ours, codes, difference }) =>
    [name, what, server, ours, codes.join(' ') || '-', difference?.why ?? '-'].join('\t'),
  );
  return `${['case', 'what was done', 'server', 'rekindle', 'findings', 'why they differ'].join('\t')}\n${lines.join('\n')}\n`;
}

function countsOf(all: ReadonlyMap<string, readonly Row[]>): string {
  const lines = [...all].map(([server, own]) => {
    const same = VERDICTS.map(
      (verdict) => own.filter((row) => row.server === verdict && row.ours === verdict).length,
    );
    return `| ${[server, own.length, ...same, own.filter((row) => row.server !== row.ours).length].join(' | ')} |`;
  });
  return `| server | cases | both: intact | both: loss | both: refused | different |\n|---|--:|--:|--:|--:|--:|\n${lines.join('\n')}\n`;
}

function reasonsOf(all: ReadonlyMap<string, readonly Row[]>): string {
  const lines = DIFFERENCES.flatMap((difference) => {
    const met = [...all].flatMap(([server, own]) =>
      own.filter((row) => row.difference === difference).map((row) => ({ ...row, where: server })),
    );
    return [...new Set(met.map((row) => row.server))].sort().map((server) => {
      const same = met.filter((row) => row.server === server);
      const cases = [...new Set(same.map((row) => `\`${row.name}\``))].join(', ');
      const servers = [...new Set(same.map((row) => row.where))].join(', ');
      return `| ${cases} | ${servers} | ${server} | ${difference.ours} | ${difference.why} |`;
    });
  });
  return `| cases | servers | server | rekindle | why |\n|---|---|---|---|---|\n${lines.join('\n')}\n`;
}

function expectKept(file: string | URL, text: string): void {
  if (UPDATE) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
