import { AofFileMachine } from '../aof/file.js';
import type { AofFileEntry, AofSet, StrayFile } from '../aof/set.js';
import { pump } from '../bytes/pump.js';
import { type ByteSource, FileSource } from '../bytes/source.js';
import { ByteWindow, type Machine } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import type { Finding } from '../model/finding.js';
import { RdbDecoder } from '../rdb/decoder.js';
import type { DialectName } from '../rdb/dialect.js';
import { SKIM } from '../resp/scanner.js';
import type { ToolContext } from './context.js';
import { Inventory } from './inventory.js';
import { LogSurvey } from './log-survey.js';
import { findingOf, type NotChecked } from './report.js';
import type { Source } from './source.js';

export interface InfoOptions {
  readonly dialect: DialectName | null;
}

/** What one file is. */
export interface FileInfo {
  readonly path: string;
  readonly role: AofFileEntry['role'] | 'rdb';
  readonly bytes: number;
  /** What the RDB holds, or the one in front of the log; null without one. */
  readonly rdb: Inventory | null;
  /** Null for a file that is an RDB and nothing else. */
  readonly log: LogSurvey | null;
  /** What ended the reading early. */
  readonly finding: Finding | null;
}

/** A file that stands with a log and is not loaded. */
export interface UnusedFile {
  readonly path: string;
  readonly bytes: number;
  /** History of the log, or a file that the manifest does not name. */
  readonly kind: 'history' | StrayFile['kind'];
}

export interface InfoReport {
  readonly files: readonly FileInfo[];
  readonly unused: readonly UnusedFile[];
  /** Keys of the dataset; null when commands would have to be executed to know. */
  readonly keys: number | null;
  /** What is wrong between manifest and directory. */
  readonly findings: readonly Finding[];
  readonly notChecked: readonly NotChecked[];
}

/**
 * Says what a dataset in files is and what it holds, without looking into values or executing commands. Damage ends the
 * reading of a file, not the report.
 */
export async function info(source: Source, options: InfoOptions, context: ToolContext): Promise<InfoReport> {
  if (source.kind === 'aof') return infoOfSet(source.set, options, context);
  const survey = new FileSurvey(options, context);
  const finding = await survey.read(source.bytes, survey.decoder());
  const bytes = source.bytes.size ?? survey.end;
  const file: FileInfo = {
    path: source.bytes.label,
    role: 'rdb',
    bytes,
    rdb: survey.inventory,
    log: null,
    finding,
  };
  return {
    files: [file],
    unused: [],
    keys: survey.inventory.total.keys,
    findings: [],
    notChecked: survey.notChecked(file.path),
  };
}

async function infoOfSet(set: AofSet, options: InfoOptions, context: ToolContext): Promise<InfoReport> {
  const files: FileInfo[] = [];
  const notChecked: NotChecked[] = [];
  for (const entry of set.files) {
    const survey = new FileSurvey(options, context);
    const found = await survey.read(entry.source, survey.logMachine());
    const isWritten = entry === set.files.at(-1) && (await endIsWritten(found, entry.source));
    const finding = isWritten ? null : found;
    const { inventory, log } = survey;
    files.push({
      path: entry.path,
      role: entry.role,
      bytes: entry.size ?? survey.end,
      rdb: inventory.rdbHeader === null ? null : inventory,
      log,
      finding,
    });
    notChecked.push(...survey.notChecked(entry.path));
  }
  const executed = files.some((file) => (file.log?.commands ?? 0) > 0);
  if (executed) {
    const why = 'commands must be executed to know; digest and replay do';
    notChecked.push({
      path: set.manifestPath ?? set.directory,
      what: 'keys of the whole log',
      why,
      routine: true,
    });
  }
  const keys = files.reduce((sum, file) => sum + (file.rdb?.total.keys ?? 0), 0);
  return { files, unused: unusedOf(set), keys: executed ? null : keys, findings: set.findings, notChecked };
}

/** Whether an end that looks torn is one that a server is just writing. */
async function endIsWritten(found: Finding | null, source: ByteSource): Promise<boolean> {
  return found?.code === 'aof/torn-tail' && source instanceof FileSource && (await source.isGrowing());
}

function unusedOf(set: AofSet): UnusedFile[] {
  return [
    ...set.history.map(({ path, size }) => ({ path, bytes: size ?? 0, kind: 'history' as const })),
    ...set.strays.map(({ path, size, kind }) => ({ path, bytes: size, kind })),
  ];
}

/** One pass over one file that counts what goes by. */
class FileSurvey {
  readonly inventory: Inventory;
  readonly log = new LogSurvey();
  /** Absolute offset up to which the file was read. */
  end = 0;

  constructor(
    private readonly options: InfoOptions,
    private readonly context: ToolContext,
  ) {
    this.inventory = new Inventory(context.nowMs);
  }

  decoder(): RdbDecoder {
    const dialect = this.options.dialect ?? undefined;
    return new RdbDecoder(this.inventory, { verifyChecksum: false, deep: false, dialect });
  }

  logMachine(): AofFileMachine {
    return new AofFileMachine(this.log, () => this.decoder(), SKIM);
  }

  async read(source: ByteSource, machine: Machine): Promise<Finding | null> {
    const window = new ByteWindow();
    window.limit = source.size ?? Number.POSITIVE_INFINITY;
    const reader = await source.open();
    try {
      await pump(reader, window, machine, {
        signal: this.context.signal,
        progress: (done) =>
          this.context.progress({
            label: source.label,
            done,
            total: source.size,
            items: { count: this.inventory.total.keys, what: 'keys' },
          }),
      });
      return null;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return findingOf(error, source.label);
    } finally {
      this.end = window.base + window.end;
      await reader.close();
    }
  }

  notChecked(path: string): NotChecked[] {
    if (this.inventory.rdbHeader === null) return [];
    return [{ path, what: 'values and checksum', why: 'walked past; check verifies them', routine: true }];
  }
}
