import type { AofSet } from '../aof/set.js';
import type { ErrorDetail } from '../errors.js';
import type { Finding, FindingCode } from '../model/finding.js';
import type { DialectName } from '../rdb/dialect.js';
import { checkFile } from './check/file.js';
import { withoutGrowingTail } from './check/growing-tail.js';
import type { ToolContext } from './context.js';
import type { CheckedFile, DatasetWatch, NotChecked } from './report.js';
import type { Source } from './source.js';

export interface CheckOptions {
  /** Structure and checksums alone: values are walked past. */
  readonly quick: boolean;
  /** The product that wrote the RDB, where it cannot tell. */
  readonly dialect: DialectName | null;
  /** Counts along; missing: nobody does. */
  readonly watch?: DatasetWatch;
}

export interface CheckReport {
  readonly files: readonly CheckedFile[];
  readonly notChecked: readonly NotChecked[];
}

/**
 * Verifies a dataset: structure, checksum and every value of an RDB; manifest, framing and transactions of a log. Each
 * file is read up to its first damage.
 *
 * @throws InputError when a file cannot be read
 */
export async function check(
  source: Source,
  options: CheckOptions,
  context: ToolContext,
): Promise<CheckReport> {
  const { files, notChecked } = await checkDataset(source, options, context);
  const { path, choice } = source;
  if (choice === '') return { files, notChecked };
  return { files, notChecked: [{ path, what: 'other dataset', why: choice, routine: true }, ...notChecked] };
}

async function checkDataset(
  source: Source,
  options: CheckOptions,
  context: ToolContext,
): Promise<CheckReport> {
  if (source.kind === 'aof') return checkSet(source.set, options, context);
  const single = { ...options, form: 'rdb', last: true } as const;
  const { file, notChecked } = await checkFile(source.bytes, single, context);
  return { files: [file], notChecked };
}

async function checkSet(set: AofSet, options: CheckOptions, context: ToolContext): Promise<CheckReport> {
  const files: CheckedFile[] = [];
  const notChecked: NotChecked[] = [];
  const manifest = await manifestOf(set);
  if (manifest !== null) files.push(manifest);
  for (const entry of set.files) {
    const last = entry === set.files.at(-1);
    const result = await checkFile(entry.source, { ...options, form: 'aof', last }, context);
    files.push(last ? await withoutGrowingTail(result.file, entry.source) : result.file);
    notChecked.push(...result.notChecked);
  }
  for (const { path } of set.history) {
    const why = 'no server loads it, and the next one to start here deletes it';
    notChecked.push({ path, what: 'history', why, routine: false });
  }
  for (const { path } of set.strays)
    notChecked.push({ path, what: 'file outside the manifest', why: 'no server loads it', routine: false });
  return { files, notChecked };
}

/** The manifest as a file of its own, with everything that is wrong between it and its directory. */
async function manifestOf(set: AofSet): Promise<CheckedFile | null> {
  const { manifestPath } = set;
  const findings = [...set.findings, ...unlikelyFiles(set)];
  if (manifestPath === null && findings.length === 0) return null;
  const path = manifestPath ?? set.directory;
  const bytes = set.manifest?.bytes ?? 0;
  const own = findings.filter((finding) => finding.where.file === path && finding.where.offset >= 0);
  return {
    path,
    format: 'manifest',
    dialect: null,
    version: null,
    bytes,
    validBytes: Math.min(bytes, ...own.map((finding) => finding.where.offset)),
    keys: null,
    commands: null,
    damagedBytes: 0,
    doubtful: 0,
    unprovenKeys: 0,
    findings,
  };
}

/** What a manifest says that servers load without a word, though something is gone. */
function unlikelyFiles({ manifest, manifestPath, files }: AofSet): Finding[] {
  if (manifest === null || manifestPath === null) return [];
  const found: Finding[] = [];
  const tell = (code: FindingCode, line: number, offset: number, detail: ErrorDetail): void =>
    void found.push({ code, where: { file: manifestPath, offset, trail: [] }, detail: { line, ...detail } });
  const { base, increments } = manifest;
  const baseFile = files.find(({ role }) => role === 'base');
  if (base !== null && baseFile?.format === 'empty' && base.name.endsWith('.rdb')) {
    tell('set/empty-base', base.line, -1, { name: base.name });
  }
  for (const [i, { seq, line }] of increments.entries()) {
    const before = increments[i - 1]?.seq ?? seq;
    if (Number(seq) - Number(before) > 1) {
      tell('set/sequence-gap', line, -1, { before: String(before), after: String(seq) });
    }
  }
  return found;
}
