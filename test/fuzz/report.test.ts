import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const { publishedTable, table } = (await import('./report.mjs' as string)) as {
  publishedTable(page: string): string;
  table(report: unknown): string;
};
const report = JSON.parse(readFileSync('test/fuzz/report.json', 'utf8')) as {
  readonly executions: number;
  readonly runs: readonly { readonly targets: Readonly<Record<string, { readonly executions: number }>> }[];
};

test('docs/testing.md tells what the report of the fuzzer tells', () => {
  // `node test/fuzz/report.mjs` puts it there.
  expect(publishedTable(readFileSync('docs/testing.md', 'utf8'))).toBe(table(report));
});

test('the report sums up its runs', () => {
  const sums = report.runs.flatMap(({ targets }) =>
    Object.values(targets).map(({ executions }) => executions),
  );
  expect(sums.reduce((all, one) => all + one, 0)).toBe(report.executions);
});
