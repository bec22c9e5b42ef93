// Measures what salvage brings back: npm run salvage-bench -- [options]
//
//   --positions 200    places damaged, for every kind of damage and every file
//   --versions A,B     of 2.8.24, 4.0.14, 5.0.14, 6.2.16, 7.0.15, 7.4.1; default all
//   --kinds A,B        of the kinds in salvage-damage.mjs, and "1 byte, no checksum"; default all
//   --formats A,B      of rdb and aof; default both (an append-only file counts commands instead of keys, and its kinds
//                      of damage are those of salvage-log.mjs)
//   --seed 1
//   --json             one JSON object instead of the table
//   --dist PATH        the build to measure; default: dist
//
// Exit code 1 when fewer than 99.9 % of the keys whose bytes were not touched come back with the right value, expiry and
// database, or when a name appears that the file did not hold. Needs a build.
import { parseArgs } from 'node:util';
import { DAMAGES } from './salvage-damage.mjs';
import { DAMAGES as LOG_DAMAGES, LOG_VERSIONS, LogSweep } from './salvage-log.mjs';
import { RDB_VERSIONS, RdbSweep, UNCHECKED } from './salvage-rdb.mjs';
import { salvageTable } from './salvage-table.mjs';

const BAR = 0.999;

const { values } = parseArgs({
  options: {
    positions: { type: 'string', default: '200' },
    versions: { type: 'string' },
    formats: { type: 'string', default: 'rdb,aof' },
    kinds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    dist: { type: 'string', default: new URL('../../dist/', import.meta.url).pathname },
  },
});
const load = (path) => import(new URL(`src/${path}.js`, `file://${values.dist}/`).href);
const modules = await Promise.all(
  [
    'rdb/decoder',
    'rdb/handler',
    'bytes/pump',
    'bytes/source',
    'bytes/target',
    'rdb/value-reader',
    'salvage/log-salvage',
    'salvage/rdb-survey',
    'salvage/rdb-write',
  ].map(load),
);
const library = Object.assign({}, ...modules);
const formats = values.formats.split(',');
const options = (versions, kinds) => ({
  versions: values.versions?.split(',') ?? versions,
  kinds: values.kinds?.split(',').filter((kind) => kinds.includes(kind)) ?? kinds,
  positions: Number(values.positions),
  seed: Number(values.seed),
  onKind: (row) =>
    values.json || process.stderr.write(`${row.version} ${row.kind}: ${row.back} of ${row.untouched}\n`),
});
const rows = [];
if (formats.includes('rdb')) {
  const kinds = [...Object.keys(DAMAGES), UNCHECKED];
  rows.push(...(await new RdbSweep(library).run(options(RDB_VERSIONS, kinds))));
}
if (formats.includes('aof')) {
  rows.push(...(await new LogSweep(library).run(options(LOG_VERSIONS, LOG_DAMAGES))));
}
const failed = rows.filter((row) => row.back < BAR * row.untouched || row.invented > 0);
process.stdout.write(values.json ? `${JSON.stringify({ bar: BAR, rows })}\n` : salvageTable(rows));
process.exitCode = failed.length > 0 ? 1 : 0;
