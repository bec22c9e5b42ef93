import { dirname } from 'node:path';
import { type Manifest, parseManifest } from '../../aof/manifest.js';
import { pumpSource } from '../../bytes/pump.js';
import { FileSource, readHead } from '../../bytes/source.js';
import { InputError, OutputError } from '../../errors.js';
import type { DialectName } from '../../rdb/dialect.js';
import { logScanFor } from '../../resp/passer.js';
import { LogFront, SCAN_CHUNK_BYTES } from '../check/log-front.js';
import type { ToolContext } from '../context.js';
import { cutFile } from '../cut-file.js';
import { refuseOutside } from '../output-place.js';
import type { StrictBackTask } from '../thread.js';
import { checkRdbPreamble } from './check-rdb.js';
import { type CheckerHost, noteIfPacked } from './host.js';
import { StrictScan } from './strict-scan.js';

export interface CheckAofOptions {
  /** Cut the last file where its damage begins. */
  readonly fix: boolean;
  /** Unix seconds: cut the last file before its first annotation later than this. 0: do not. */
  readonly toTimestamp: bigint;
  readonly dialect: DialectName | null;
}

/** What became of one file; 'stopped': all has been said, and the exit code is 1. */
type Outcome = 'ok' | 'empty' | 'cut' | 'cut-to-time' | 'stopped';

/** A manifest is never larger; what is larger is a log. */
const MANIFEST_MAX = 16 * 1024 * 1024;
/** How much of a file is looked at for a manifest's lines behind others. */
const SNIFF_BYTES = 64 * 1024;

/**
 * Does what redis-check-aof 7.0 does with a log or a manifest, in its words. Files are opened for reading only, unless
 * one is cut: then a verified backup stands first, and the cut never leaves a transaction open.
 * @returns the exit code of the original
 */
export async function checkAof(
  path: string,
  options: CheckAofOptions,
  host: CheckerHost,
  context: ToolContext,
): Promise<0 | 1> {
  return new AofChecker(options, host, context).run(path);
}

interface Part {
  /** How the lines call the file. */
  readonly name: string;
  readonly path: string;
  /** The directory of its manifest, which no link of it may lead a change out of; null: it was named itself. */
  readonly room: string | null;
  readonly isLast: boolean;
  /** How the verdict calls it. */
  readonly title: 'BASE AOF' | 'INCR AOF' | 'AOF';
}

class AofChecker {
  /** Counted over all files, as in the original. */
  private line = 1;

  constructor(
    private readonly options: CheckAofOptions,
    private readonly host: CheckerHost,
    private readonly context: ToolContext,
  ) {}

  async run(path: string): Promise<0 | 1> {
    const { host } = this;
    const source = await this.openToSniff(path);
    if (source === null) return 1;
    if (await looksLikeManifest(source)) return this.checkSet(path, source);
    host.line('Start checking Old-Style AOF');
    const part: Part = { name: path, path, room: null, isLast: true, title: 'AOF' };
    return (await this.checkAndTell(part, source, await looksLikeRdb(source))) ? 0 : 1;
  }

  private async checkSet(path: string, source: FileSource): Promise<0 | 1> {
    const { host } = this;
    host.line('Start checking Multi Part AOF');
    const manifest = parseManifest(await readHead(source, source.size));
    if (manifest.problems.length > 0) return this.refuseManifest(manifest);
    const { base, increments } = manifest;
    if (base !== null && !(await this.checkBase(path, base.name, increments.length === 0))) return 1;
    if (increments.length > 0) host.line('Start to check INCR files.');
    for (const entry of increments) {
      const part = partOf(path, entry.name, entry === increments.at(-1), 'INCR AOF');
      const file = await this.openToCheck(part.path);
      if (file === null || !(await this.checkAndTell(part, file, false))) return 1;
    }
    host.line('All AOF files and manifest are valid');
    return 0;
  }

  private async checkBase(path: string, name: string, isLast: boolean): Promise<boolean> {
    const part = partOf(path, name, isLast, 'BASE AOF');
    const file = await this.openToSniff(part.path);
    if (file === null) return false;
    const isRdb = await looksLikeRdb(file);
    this.host.line(`Start to check BASE AOF (${isRdb ? 'RDB' : 'RESP'} format).`);
    return this.checkAndTell(part, file, isRdb);
  }

  /** In the original these lines come from the server's log, with process id and time in front. */
  private refuseManifest(manifest: Manifest): 1 {
    const { host } = this;
    const { code, line, text, message } = manifest.problems[0]!;
    host.line('*** FATAL AOF MANIFEST FILE ERROR ***');
    if (code !== 'manifest/line-too-long') {
      host.line(`Reading the manifest file, at line ${line}`);
      host.line(`>>> '${host.bytes(text)}'`);
    }
    host.line(message);
    return 1;
  }

  /** False when the run ends here, with everything said. */
  private async checkAndTell(part: Part, source: FileSource, isRdb: boolean): Promise<boolean> {
    const { host } = this;
    const name = host.path(part.name);
    const outcome = await this.readFile(part, source, isRdb);
    if (outcome === 'ok') host.line(`${part.title} ${name} is valid`);
    else if (outcome === 'empty') host.line(`${part.title} ${name} is empty`);
    else if (outcome === 'cut') host.line(`Successfully truncated AOF ${name}`);
    else if (outcome === 'cut-to-time') {
      host.line(`Successfully truncated AOF ${name} to timestamp ${this.options.toTimestamp}`);
    }
    return outcome !== 'stopped';
  }

  private async readFile(part: Part, source: FileSource, isRdb: boolean): Promise<Outcome> {
    const { host } = this;
    try {
      return await this.checkFile(part, source, isRdb);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      host.line(`Failed to read from AOF ${host.path(part.name)}, aborting...`);
      host.note(`${host.path(error.path)}: ${error.message}`);
      return 'stopped';
    }
  }

  private async checkFile(part: Part, source: FileSource, isRdb: boolean): Promise<Outcome> {
    const { host, context, options } = this;
    if (source.size === 0) return 'empty';
    let start = 0;
    if (isRdb) {
      const end = await checkRdbPreamble(source, part.name, options, host, context);
      if (end === null) {
        host.line('RDB preamble of AOF file is not sane, aborting.');
        return 'stopped';
      }
      host.line('RDB preamble is OK, proceeding with AOF tail...');
      start = end;
    }
    const scan = await this.scan(part, source, start);
    this.line = scan.line;
    if (scan.ended === 'past-time') return this.cutToTime(part, source, scan);
    if (scan.ended === 'bad-annotation') {
      host.line('Invalid timestamp annotation');
      return 'stopped';
    }
    return this.tellScan(part, source, scan);
  }

  private async scan(part: Part, source: FileSource, start: number): Promise<StrictScan> {
    const { host, context, options } = this;
    const time = options.toTimestamp;
    const kernel = logScanFor(source.size);
    const path = host.path(part.path);
    const scan = new StrictScan(path, this.line, time, (byte) => host.bytes(byte), kernel);
    const front = LogFront.start<StrictBackTask>(source, start, { kind: 'strict-back', time }, scan);
    try {
      await pumpSource(source, scan, {
        ...(kernel === null ? {} : { chunkBytes: SCAN_CHUNK_BYTES, rooms: kernel.rooms }),
        start,
        drain: async () => front?.meet(),
        signal: context.signal,
        progress: (offset) => {
          const done = Math.max(offset, start + (front?.takenBytes ?? 0));
          context.progress({ label: source.label, done, total: source.size });
        },
      });
    } finally {
      await front?.close();
    }
    return scan;
  }

  private async tellScan(part: Part, source: FileSource, scan: StrictScan): Promise<Outcome> {
    const { host, options } = this;
    const { size } = source;
    const name = host.path(part.name);
    if (scan.ended === 'bad-start') host.line(`AOF ${name} format error`);
    if (scan.error !== '') host.line(scan.error);
    const rest = size - scan.okUpTo;
    if (rest === 0 && options.toTimestamp !== 0n) {
      host.line(`Truncate nothing in AOF ${name} to timestamp ${options.toTimestamp}`);
      return 'ok';
    }
    host.line(
      `AOF analyzed: filename=${name}, size=${size}, ok_up_to=${scan.okUpTo}, ok_up_to_line=${scan.line}, diff=${rest}`,
    );
    if (rest === 0) return 'ok';
    const isPacked = scan.okUpTo === 0 && (await noteIfPacked(part.path, source, host));
    // A cut would empty it.
    if (!options.fix || isPacked) {
      host.line(`AOF ${name} is not valid. Use the --fix option to try fixing it.`);
      return 'stopped';
    }
    return this.fix(part, source, scan.okUpTo);
  }

  private async fix(part: Part, source: FileSource, okUpTo: number): Promise<Outcome> {
    const { host } = this;
    const { size } = source;
    const name = host.path(part.name);
    if (!part.isLast) {
      host.line(`Failed to truncate AOF ${name} because it is not the last file`);
      return 'stopped';
    }
    host.line(
      `This will shrink the AOF ${name} from ${size} bytes, with ${size - okUpTo} bytes, to ${okUpTo} bytes`,
    );
    if (!(await host.confirm())) {
      host.line('Aborting...');
      return 'stopped';
    }
    if (await this.cut(part, source, okUpTo)) return 'cut';
    host.line(`Failed to truncate AOF ${name}`);
    return 'stopped';
  }

  private async cutToTime(part: Part, source: FileSource, scan: StrictScan): Promise<Outcome> {
    const { host } = this;
    const path = host.path(part.path);
    const time = this.options.toTimestamp;
    // Before the transaction around the annotation, if there is one.
    const { okUpTo } = scan;
    if (okUpTo === 0) {
      host.line(`AOF ${path} has nothing before timestamp ${time}, aborting...`);
      return 'stopped';
    }
    if (!part.isLast) {
      host.line(
        `Failed to truncate AOF ${path} to timestamp ${time} to offset ${okUpTo} because it is not the last file.`,
      );
      host.line(NOT_LAST_ADVICE);
      return 'stopped';
    }
    if (await this.cut(part, source, okUpTo)) return 'cut-to-time';
    host.line(`Failed to truncate AOF ${path} to timestamp ${time}`);
    return 'stopped';
  }

  private async cut({ path, room }: Part, source: FileSource, okUpTo: number): Promise<boolean> {
    const { host, context } = this;
    try {
      if (room !== null) await refuseOutside(path, room);
      const { path: backup, sha256 } = await cutFile(source, okUpTo, context);
      host.note(`backup: ${host.path(backup)} (SHA-256 ${sha256})`);
      return true;
    } catch (error) {
      if (!(error instanceof OutputError) && !(error instanceof InputError)) throw error;
      host.note(`${host.path(error.path)}: ${error.message}`);
      if (error.hint !== '') host.note(`  try: ${error.hint}`);
      return false;
    }
  }

  /** Null when the file can't be opened, which has then been said as the original says it of the file it is given. */
  private async openToSniff(path: string): Promise<FileSource | null> {
    return this.open(path, (reason) => {
      if (reason === IS_DIRECTORY) return `Cannot read file: ${this.host.path(path)}`;
      return `Cannot open file ${this.host.path(path)}: ${reason}`;
    });
  }

  private async openToCheck(path: string): Promise<FileSource | null> {
    return this.open(path, (reason) => `Cannot open file ${this.host.path(path)}: ${reason}, aborting...`);
  }

  private async open(path: string, wording: (reason: string) => string): Promise<FileSource | null> {
    try {
      return await FileSource.at(path);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.host.line(wording(REASONS[error.code] ?? error.message));
      return null;
    }
  }
}

const NOT_LAST_ADVICE =
  'If you insist, please delete all files after this file according to the manifest file and delete the ' +
  'corresponding records in manifest file manually. Then re-run redis-check-aof.';

const IS_DIRECTORY = 'Is a directory';

/** In the words of the C library. */
const REASONS: Readonly<Record<string, string>> = {
  'input/missing': 'No such file or directory',
  'input/permission': 'Permission denied',
  'input/directory': IS_DIRECTORY,
};

/** A file beside the manifest. `name` has one character per byte. */
function partOf(manifest: string, name: string, isLast: boolean, title: Part['title']): Part {
  const text = Buffer.from(name, 'latin1').toString('utf8');
  return { name: text, path: `${dirname(manifest)}/${text}`, room: dirname(manifest), isLast, title };
}

async function looksLikeRdb(source: FileSource): Promise<boolean> {
  const head = (await readHead(source, 8)).latin1Slice();
  return head.length === 8 && (head.startsWith('REDIS') || head.startsWith('VALKEY'));
}

/**
 * The original takes any file for a manifest in which some line begins with `file`, even a log that holds such a key.
 * Here the first line that is no comment decides, unless it starts neither a log nor an RDB.
 */
async function looksLikeManifest(source: FileSource): Promise<boolean> {
  if (source.size > MANIFEST_MAX) return false;
  const text = (await readHead(source, SNIFF_BYTES)).latin1Slice();
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  const first = lines[0] ?? '';
  if (first.startsWith('*') || first.startsWith('REDIS') || first.startsWith('VALKEY')) return false;
  return lines.some((line) => line.startsWith('file'));
}
