import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Adds a run to those of a file; all of them are returned. */
export function addRun(path, { covered, ...run }) {
  const report = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { runs: [], covered };
  report.runs.push(run);
  // Runs of few targets reach few rooms: the most that one run reached counts.
  for (const [room, { edges, of }] of Object.entries(covered)) {
    report.covered[room] = { edges: Math.max(edges, report.covered[room]?.edges ?? 0), of };
  }
  report.targets = totals(report.runs);
  report.executions = Object.values(report.targets).reduce((sum, { executions }) => sum + executions, 0);
  writeFileSync(path, `${JSON.stringify(report, null, 1)}\n`);
  return report;
}

/** Executions add up; of branches and inputs kept the most of any run counts. */
function totals(runs) {
  const sums = {};
  for (const run of runs) {
    for (const [name, { executions, edges, corpus }] of Object.entries(run.targets)) {
      const sum = (sums[name] ??= { executions: 0, edges: 0, corpus: 0, findings: 0 });
      sum.executions += executions;
      sum.edges = Math.max(sum.edges, edges);
      sum.corpus = Math.max(sum.corpus, corpus);
      sum.findings += run.findings.filter(({ target, note }) => target === name && note === undefined).length;
    }
  }
  return sums;
}

export function describe({ targets, findings, minutes, seed }) {
  const lines = Object.entries(targets).map(
    ([name, { executions, edges, corpus }]) =>
      `${name.padEnd(16)} ${String(executions).padStart(9)} executions ${String(edges).padStart(6)} branches ${String(corpus).padStart(5)} inputs kept`,
  );
  return `${lines.join('\n')}\n${findings.length} findings in ${minutes} minutes, seed ${seed}\n`;
}

/** The table of docs/testing.md. */
export function table({ targets, executions }) {
  const rows = Object.entries(targets).map(
    ([name, sum]) =>
      `| \`${name}\` | ${sum.executions.toLocaleString('en')} | ${sum.edges} | ${sum.findings} |`,
  );
  return `| target | executions | branches | found |\n|---|---|---|---|\n${rows.join('\n')}\n| all | ${executions.toLocaleString('en')} | | |\n`;
}
