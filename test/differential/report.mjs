import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// node test/differential/report.mjs [DIR]: adds the runs that REKINDLE_REPORT=DIR left to report.json, each once, and
// prints them by server.

const path = new URL('report.json', import.meta.url);
const { runs } = JSON.parse(readFileSync(path, 'utf8'));
const [directory] = process.argv.slice(2);
if (directory !== undefined) {
  for (const name of readdirSync(directory)) {
    const { seed, ...rest } = JSON.parse(readFileSync(join(directory, name), 'utf8'));
    const run = { ...rest, seeds: [seed] };
    const known = runs.findIndex((each) => each.server === run.server && each.seeds.includes(seed));
    runs.splice(known < 0 ? runs.length : known, known < 0 ? 0 : 1, run);
  }
  runs.sort((a, b) => (a.server < b.server ? -1 : a.server > b.server ? 1 : a.seeds[0] - b.seeds[0]));
  writeFileSync(path, `${JSON.stringify({ runs }, null, 1)}\n`);
}

const sum = (server, way, what) =>
  runs
    .filter((run) => run.server === server)
    .reduce((all, run) => all + (run[way]?.[what] ?? 0), 0)
    .toLocaleString('en-US');
const cells = (server, what) => ['logs', 'clients'].map((way) => sum(server, way, what));
console.log(
  '| server | logs | clients | commands in them | states compared | seeds from |\n|---|---|---|---|---|---|',
);
for (const server of new Set(runs.map((run) => run.server))) {
  const seeds = [...new Set(runs.filter((run) => run.server === server).flatMap((run) => run.seeds))];
  const [logs, clients] = cells(server, 'rounds');
  const both = (what) => cells(server, what).join(' + ');
  console.log(
    `| ${server} | ${logs} | ${clients} | ${both('commands')} | ${both('comparisons')} | ${seeds.join(', ')} |`,
  );
}
