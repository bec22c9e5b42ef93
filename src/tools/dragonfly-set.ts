import { basename } from 'node:path';
import type { AofFileEntry, AofSet } from '../aof/set.js';
import { type FileTree, pathIn, type SizedSource } from '../bytes/file-tree.js';
import type { ByteSlice } from '../bytes/slice.js';
import { readHead } from '../bytes/source.js';
import { ByteWindow } from '../bytes/window.js';
import { FormatError, InputError } from '../errors.js';
import type { Finding } from '../model/finding.js';
import { RdbDecoder } from '../rdb/decoder.js';
import { RdbSink } from '../rdb/handler.js';

/** `BASE-summary.dfs`, and one `BASE-0000.dfs` for each shard. */
const NAME = /^(.*)-(summary|\d{4})\.dfs$/;
const HEAD_BYTES = 64 * 1024;

/** True for the file that stands for a whole snapshot of Dragonfly. */
export const isDragonflySummary = (path: string): boolean => NAME.exec(basename(path))?.[2] === 'summary';

/**
 * The snapshot of Dragonfly in a directory: its summary and its shards, each an RDB, as a log without commands. `base` is
 * the beginning of their names, null: there is but one. Null when there is none.
 *
 * @throws InputError when there are several and none is named
 */
export async function openDragonflySet(
  directory: string,
  tree: FileTree,
  base: string | null,
): Promise<AofSet | null> {
  const names = (await tree.list(directory)).filter((name) => NAME.test(name));
  const bases = [...new Set(names.map((name) => NAME.exec(name)![1]!))];
  const chosen = base ?? bases[0];
  if (chosen === undefined) return null;
  if (base === null && bases.length > 1) {
    throw new InputError(
      'input/ambiguous',
      directory,
      `holds several snapshots: ${bases.slice(0, 5).join(', ')}`,
      `name the one you mean: ${pathIn(directory, `${bases.at(-1)}-summary.dfs`)}`,
    );
  }
  const parts = names.filter((name) => NAME.exec(name)![1] === chosen);
  // The summary comes first: it holds the scripts.
  parts.sort(
    (a, b) => Number(b.endsWith('-summary.dfs')) - Number(a.endsWith('-summary.dfs')) || (a < b ? -1 : 1),
  );
  const files: AofFileEntry[] = [];
  const heads: Head[] = [];
  for (const name of parts) {
    const path = pathIn(directory, name);
    const source = await tree.open(path);
    heads.push(await headOf(path, source));
    files.push({ name, path, role: 'base', seq: files.length, size: source.size, format: 'rdb', source });
  }
  const findings = findingsOf(directory, chosen, heads);
  const lists = { history: [], missing: [], strays: [] };
  return { directory, manifestPath: null, manifest: null, files, ...lists, findings, tree };
}

/** The base name of a snapshot by that of its summary. */
export const snapshotBaseOf = (path: string): string => NAME.exec(basename(path))![1]!;

interface Head {
  readonly path: string;
  readonly aux: ReadonlyMap<string, string>;
}

function findingsOf(directory: string, base: string, heads: readonly Head[]): Finding[] {
  const findings: Finding[] = [];
  const summary = heads.find(({ path }) => isDragonflySummary(path));
  const missing = (name: string) => {
    const where = { file: pathIn(directory, name), offset: -1, trail: [] };
    findings.push({ code: 'set/missing-file', where, detail: { name } });
  };
  if (summary === undefined) missing(`${base}-summary.dfs`);
  const shards = Number(summary?.aux.get('shard-count') ?? 0);
  const present = new Set(heads.map(({ path }) => basename(path)));
  for (let shard = 0; shard < Math.min(shards, SHARDS_MAX); shard++) {
    const name = `${base}-${String(shard).padStart(4, '0')}.dfs`;
    if (!present.has(name)) missing(name);
  }
  const id = heads[0]?.aux.get('snapshot-id') ?? '';
  for (const { path, aux } of heads) {
    const own = aux.get('snapshot-id') ?? id;
    if (own === id) continue;
    const where = { file: path, offset: -1, trail: [] };
    findings.push({ code: 'set/mixed-snapshots', where, detail: { snapshotId: own, expected: id } });
  }
  return findings;
}

/** More than any machine has cores. */
const SHARDS_MAX = 1024;

/** The aux fields in front of the first key, as far as they are among the first bytes. */
async function headOf(path: string, source: SizedSource): Promise<Head> {
  const aux = new Map<string, string>();
  const collect = new (class extends RdbSink {
    override aux(name: ByteSlice, value: ByteSlice): void {
      if (name.length < 64 && value.length < 1024) aux.set(name.latin1(), value.latin1());
    }
  })();
  const window = new ByteWindow();
  window.bytes = await readHead(source, HEAD_BYTES);
  window.end = window.bytes.length;
  window.limit = source.size;
  try {
    new RdbDecoder(collect, { verifyChecksum: false, deep: false }).run(window);
  } catch (error) {
    // Whoever reads the file says what is wrong with it.
    if (!(error instanceof FormatError)) throw error;
  }
  return { path, aux };
}
