import { basename } from 'node:path';
import { formatManifest, type ManifestEntry, type ManifestLine } from '../../aof/manifest.js';
import { type AofFileEntry, type AofSet, type StrayFile, singleFileSet } from '../../aof/set.js';
import { type FileTree, localTree, pathIn } from '../../bytes/file-tree.js';
import type { Long } from '../../bytes/int64.js';
import { type ByteSource, readHead } from '../../bytes/source.js';
import type { Finding, FindingCode } from '../../model/finding.js';

/** A file that the manifest names or should name, in load order. */
export interface SetMember {
  readonly path: string;
  readonly isBase: boolean;
  /** Null when the manifest names it and it is not there. */
  readonly entry: AofFileEntry | null;
  readonly line: ManifestLine;
  /** Why it counts as missing. */
  readonly because: Finding | null;
}

/** What a manifest should say. */
export interface ManifestRepair {
  /** Null for a file that stands for itself. */
  readonly path: string | null;
  /** The one that is there, and its bytes. */
  readonly source: ByteSource | null;
  readonly bytes: number;
  /** Why it has to be written anew; empty when it may stay. */
  readonly because: readonly Finding[];
  readonly members: readonly SetMember[];
  /** The manifest of these of the members. */
  format(members: readonly SetMember[]): Buffer;
}

/**
 * Finds out which files belong to a set. What a readable line says holds; files whose line cannot be read are taken by
 * their names, a line that names a path never is.
 *
 * @throws InputError when a file cannot be read
 */
export async function repairManifest(set: AofSet): Promise<ManifestRepair> {
  const { manifest, manifestPath, directory, files } = set;
  const lost = set.findings.filter(({ code }) => code === 'set/no-manifest');
  if (manifestPath === null || manifest === null) {
    const members = files.map((entry) => memberOf(entry, lineOf(entry)));
    const path = lost.length === 0 ? null : pathIn(directory, lostName(files));
    return { path, source: null, bytes: 0, because: lost, members, format: (stays) => format(stays, []) };
  }
  const because = set.findings.filter(({ code }) => code.startsWith('manifest/'));
  const members = [...(manifest.base === null ? [] : [manifest.base]), ...manifest.increments].map((line) =>
    named(line, set),
  );
  const tree = set.tree ?? localTree;
  const source = await tree.open(manifestPath);
  if (because.length > 0) {
    const text = (await readHead(source, source.size)).latin1Slice();
    members.push(...(await unnamed(set, members, text, because)));
    order(members);
  }
  const history = manifest.history.filter(({ name }) =>
    set.history.some((entry) => entry.name === utf8(name)),
  );
  return {
    path: manifestPath,
    source,
    bytes: source.size,
    because,
    members,
    format: (stays) => format(stays, history),
  };
}

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');
const latin1 = (text: string): string => Buffer.from(text, 'utf8').latin1Slice();

/** `appendonly.aof.3.incr.aof` belongs to `appendonly.aof.manifest`. */
function lostName(files: readonly AofFileEntry[]): string {
  const stem = /^(.*)\.\d+\.(base\.(rdb|aof)|incr\.aof)$/.exec(files[0]?.name ?? '')?.[1];
  return `${stem ?? 'appendonly.aof'}.manifest`;
}

function lineOf({ name, seq, role }: AofFileEntry): ManifestLine {
  return { name: latin1(name), seq, type: role === 'base' ? 'b' : 'i' };
}

function memberOf(entry: AofFileEntry, line: ManifestLine): SetMember {
  return { path: entry.path, isBase: entry.role === 'base', entry, line, because: null };
}

/** What a line of the manifest names. */
function named(line: ManifestEntry, set: AofSet): SetMember {
  const name = utf8(line.name);
  const entry = set.files.find((file) => file.name === name) ?? null;
  const path = entry?.path ?? pathIn(set.directory, name);
  // What an RDB without a byte held is as unknown as what one held that is gone.
  if (line.type === 'b' && entry?.source.size === 0 && name.endsWith('.rdb')) {
    const where = { file: path, offset: -1, trail: [] };
    return {
      path,
      isBase: true,
      entry: null,
      line,
      because: { code: 'set/empty-base', where, detail: { name } },
    };
  }
  const because = set.findings.find(
    ({ code, where }) => code === 'set/missing-file' && basename(where.file) === line.name,
  );
  return { path, isBase: line.type === 'b', entry, line, because: entry === null ? (because ?? null) : null };
}

/** Problems after which a line of the manifest may be gone without a trace. */
const TRACELESS: ReadonlySet<FindingCode> = new Set([
  'manifest/bad-line',
  'manifest/line-too-long',
  'manifest/empty',
]);

/** Files of the set that no readable line names. */
async function unnamed(
  set: AofSet,
  members: readonly SetMember[],
  text: string,
  because: readonly Finding[],
): Promise<SetMember[]> {
  const traceless = because.some(({ code }) => TRACELESS.has(code));
  const tree = set.tree ?? localTree;
  const isNamed = ({ name }: StrayFile): boolean => text.includes(latin1(name));
  const wanted = set.strays.filter((stray) => traceless || isNamed(stray));
  const found: SetMember[] = [];
  let base = members.find(({ isBase }) => isBase);
  if (base === undefined) {
    const bases = wanted.filter(({ kind }) => kind === 'base');
    const stray = newest(bases.filter(isNamed)) ?? newest(bases);
    if (stray !== null) found.push((base = await strayMember(stray, 'base', tree)));
  }
  const least = base === undefined ? 0 : Number(base.line.seq);
  for (const stray of wanted) {
    if (stray.kind === 'incr' && (isNamed(stray) || seqOf(stray.name) >= least)) {
      found.push(await strayMember(stray, 'incr', tree));
    }
  }
  return found;
}

const seqOf = (name: string): number => Number(/\.(\d+)\.(?:base|incr)\.\w+$/.exec(name)?.[1] ?? 0);

function newest(strays: readonly StrayFile[]): StrayFile | null {
  return [...strays].sort((a, b) => seqOf(b.name) - seqOf(a.name))[0] ?? null;
}

async function strayMember(stray: StrayFile, role: 'base' | 'incr', tree: FileTree): Promise<SetMember> {
  const seq: Long = seqOf(stray.name);
  const set = await singleFileSet(await tree.open(stray.path));
  const entry: AofFileEntry = { ...set.files[0]!, role, seq };
  return memberOf(entry, lineOf(entry));
}

/** The base, then the increments by number. Two of one number: what their names say counts. */
function order(members: SetMember[]): void {
  const rank = ({ isBase, line }: SetMember): number => (isBase ? -1 : Number(line.seq));
  members.sort((a, b) => rank(a) - rank(b));
  const seqs = members.filter(({ isBase }) => !isBase).map(({ line }) => line.seq);
  if (new Set(seqs).size === seqs.length) return;
  members.forEach((member, i) => {
    const seq = seqOf(member.line.name);
    if (seq > 0) members[i] = { ...member, line: { ...member.line, seq } };
  });
  members.sort((a, b) => rank(a) - rank(b));
}

function format(members: readonly SetMember[], history: readonly ManifestLine[]): Buffer {
  const base = members.find(({ isBase }) => isBase)?.line ?? null;
  const lines = members.filter(({ isBase }) => !isBase).map(({ line }) => line);
  // What was the end of a file that more may be appended to now is no longer its end.
  const increments = lines.map((line, i) => (i === lines.length - 1 ? { ...line, endOffset: null } : line));
  return formatManifest({ base, increments, history });
}
