import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

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

/** Executions add up; of branches and inputs kept the most of any run counts. What has a note was no fault of the sources. */
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

/** The table of docs/testing.md, and the seeds above it. */
export function table({ targets, executions, runs }) {
  const rows = Object.entries(targets).map(
    ([name, sum]) =>
      `| \`${name}\` | ${sum.executions.toLocaleString('en')} | ${sum.edges.toLocaleString('en')} | ${sum.findings} |`,
  );
  const seeds = [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b).join(', ');
  return `${executions.toLocaleString('en')} in ${runs.length} runs, with the seeds ${seeds}, on a machine busy with other work:

| target | executions | branches | found |
|---|---|---|---|
${rows.join('\n')}
| all | ${executions.toLocaleString('en')} | | |
`;
}

const BEGIN = 'So far:\n\n';
const END = '\n`npm run fuzz -- --report';

/** Where the page has its table. */
function placeIn(page) {
  const from = page.indexOf(BEGIN) + BEGIN.length;
  const to = page.indexOf(END);
  if (from < BEGIN.length || to < from) throw new Error('the page has no place for the table');
  return { from, to };
}

/** The table that stands in the page. */
export function publishedTable(page) {
  const { from, to } = placeIn(page);
  return page.slice(from, to);
}

/** Sums a report anew, whose runs somebody wrote notes to, and puts its table into the page. */
export function publish(path, pagePath) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  report.targets = totals(report.runs);
  report.executions = Object.values(report.targets).reduce((sum, each) => sum + each.executions, 0);
  writeFileSync(path, `${JSON.stringify(report, null, 1)}\n`);
  const page = readFileSync(pagePath, 'utf8');
  const { from, to } = placeIn(page);
  writeFileSync(pagePath, page.slice(0, from) + table(report) + page.slice(to));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  publish('test/fuzz/report.json', 'docs/testing.md');
}
