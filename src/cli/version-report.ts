import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { dialectOf } from '../rdb/dialect.js';
import { RDB_TARGETS } from '../rdb/writer-target.js';
import { CONVERT_FORMS, OUTPUT_PACKINGS } from '../tools/convert/forms.js';
import { type Json, jsonReport } from './render/json.js';
import { DIALECTS } from './settings.js';
import { VERSION } from './version.js';

/** Packages that are loaded where they are installed, and what for. */
const OPTIONAL: readonly (readonly [name: string, what: string])[] = [
  ['ioredis', 'live servers'],
  ['hyparquet-writer', 'Parquet'],
  ['@aws-sdk/client-s3', 's3:// sources'],
  ['wasmoon-lua5.1', 'scripts in logs from before Redis 5.0'],
];

const UNPACKED = ['gzip', 'zstd', 'lz4', 'tar', "Valkey's compressed stream"];
const VERSION_MAX = 255;

/** What `--version --verbose` prints: which formats this release knows, and what is installed beside it. */
export function versionReport(json: boolean): string {
  const rdb = DIALECTS.map((name) => ({ name, ...versionsOf(name) }));
  const packages = OPTIONAL.map(([name, what]) => ({ name, what, found: isInstalled(name) }));
  const targets = [...RDB_TARGETS.keys()];
  const runtime = `Node.js ${process.version} (${process.platform} ${process.arch})`;
  const packings = Object.keys(OUTPUT_PACKINGS);
  if (json) {
    const fields: Record<string, Json> = {
      version: VERSION,
      runtime,
      reads: { rdb, unpacks: UNPACKED },
      writes: { forms: [...CONVERT_FORMS], for: targets, packings },
      packages,
    };
    return jsonReport(fields);
  }
  const lines = [
    `rekindle ${VERSION} on ${runtime}`,
    ...rdb.map(({ name, versions, proven }, i) => {
      const seen = proven === '' ? 'by its description alone' : `real files of ${proven}`;
      return `${i === 0 ? 'reads RDB ' : '          '} ${name.padEnd(16)} ${versions}: ${seen}`;
    }),
    'reads      logs of one file and of several (manifests), with RDB preambles and time annotations; NDJSON',
    `unpacks    ${UNPACKED.join(', ')}`,
    `writes     ${CONVERT_FORMS.join(', ')}; packed by the ending .${packings.join(', .')}`,
    `for        ${targets.join(', ')}`,
    ...packages.map(({ name, what, found }, i) => {
      const head = i === 0 ? 'packages  ' : '          ';
      return `${head} ${name.padEnd(20)} ${found ? 'found' : 'not installed'}: ${what}`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}

/** `1-12, 14`: the versions of RDBs that are read, and those of which real files are. */
function versionsOf(name: (typeof DIALECTS)[number]): { readonly versions: string; readonly proven: string } {
  const known: number[] = [];
  const proven: number[] = [];
  for (let version = 1; version <= VERSION_MAX; version++) {
    const dialect = dialectOf(name, version);
    if (dialect === null) continue;
    known.push(version);
    if (dialect.proven) proven.push(version);
  }
  return { versions: ranges(known), proven: ranges(proven) };
}

function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    let last = i;
    while (numbers[last + 1] === numbers[last]! + 1) last++;
    parts.push(last === i ? `${numbers[i]!}` : `${numbers[i]!}-${numbers[last]!}`);
    i = last + 1;
  }
  return parts.join(', ');
}

/** Looked for, not loaded: some take longer than anything else here. */
function isInstalled(name: string): boolean {
  const places = createRequire(import.meta.url).resolve.paths(name) ?? [];
  return places.some((place) => existsSync(join(place, name, 'package.json')));
}
