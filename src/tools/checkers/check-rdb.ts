import { pump } from '../../bytes/pump.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { type ByteSource, FileSource } from '../../bytes/source.js';
import { ByteWindow } from '../../bytes/window.js';
import { FormatError, InputError } from '../../errors.js';
import { type Depth, FRAGMENTS, ITEMS, type KeyHead } from '../../model/handler.js';
import { HEADER_BYTES, OPCODE_FUNCTION_PRE_GA, TRAILER_BYTES } from '../../rdb/constants.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import type { DialectName } from '../../rdb/dialect.js';
import { type RdbHeader, RdbSink, type RdbSummary } from '../../rdb/handler.js';
import type { ToolContext } from '../context.js';
import { type CheckerHost, noteIfPacked } from './host.js';
import { type Doing, ShortfallWalk, type Standing } from './rdb-shortfall.js';

export interface CheckRdbOptions {
  /** The product, where the file can't tell. */
  readonly dialect: DialectName | null;
}

/**
 * Does what redis-check-rdb 7.0 does with a file, in its words.
 * @returns the exit code of the original
 */
export async function checkRdb(
  path: string,
  options: CheckRdbOptions,
  host: CheckerHost,
  context: ToolContext,
): Promise<0 | 1> {
  host.line(`[offset 0] Checking RDB file ${host.path(path)}`);
  try {
    const source = await FileSource.at(path);
    await noteIfPacked(path, source, host);
    return (await new RdbCheck(source, options, host, context).run()) === null ? 1 : 0;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // The original says nothing at all.
    host.note(`${host.path(path)}: ${error.message}`);
    return 1;
  }
}

/**
 * Checks the RDB that a file starts with.
 * @param name how the lines call the file
 * @returns the offset just past it, null when it is damaged
 */
export async function checkRdbPreamble(
  source: ByteSource,
  name: string,
  options: CheckRdbOptions,
  host: CheckerHost,
  context: ToolContext,
): Promise<number | null> {
  host.line(`[offset 0] Checking RDB file ${host.path(name)}`);
  return new RdbCheck(source, options, host, context).run();
}

/** What happened in a file as far as the lines tell it. */
class Lines extends RdbSink {
  keys = 0;
  expires = 0;
  expired = 0;
  /** Type of the key at hand, -1 between keys. The original starts with a zero in its place, and says so. */
  type = 0;
  version = 0;
  /** Offset just past the last opcode, key or other record told; that of the value while one is read. */
  at = 0;
  /** True once functions of a release candidate of 7.0 were met, which 7.0 itself refuses. */
  refusedFunctions = false;
  summary: RdbSummary | null = null;
  private pending = '';
  private sawLibrary = false;
  private inModule = false;

  constructor(
    private readonly window: ByteWindow,
    private readonly host: CheckerHost,
    private readonly nowMs: number,
  ) {
    super();
  }

  record(bytes: ByteSlice): void {
    this.at = this.window.base + bytes.end;
    if (this.pending !== '') this.host.line(`[offset ${this.at}] ${this.pending}`);
    this.pending = '';
    if (!this.sawLibrary) return;
    this.sawLibrary = false;
    if (bytes.bytes[bytes.start] !== OPCODE_FUNCTION_PRE_GA) return;
    this.refusedFunctions = true;
    throw new FormatError('rdb/bad-function', this.window.base + bytes.start);
  }

  override header(header: RdbHeader): void {
    this.version = header.version;
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.pending = `AUX FIELD ${this.host.bytes(name.latin1())} = '${this.host.bytes(value.latin1())}'`;
  }

  override database(index: number): void {
    this.pending = `Selecting DB ID ${index}`;
  }

  override functionLibrary(): void {
    this.sawLibrary = true;
  }

  override moduleAux(fragment: ByteSlice, last: boolean): void {
    if (!this.inModule) {
      const offset = this.window.base + fragment.end;
      this.host.line(`[offset ${offset}] MODULE AUX for: ${moduleName(fragment.view())}`);
    }
    this.inModule = !last;
  }

  override key(head: KeyHead): Depth {
    this.keys++;
    this.type = head.typeId;
    return head.textBytes >= 0 ? FRAGMENTS : ITEMS;
  }

  override keyEnd(head: KeyHead): void {
    this.type = -1;
    // The original marks a key without expiry by -1.
    if (!head.hasExpiry || head.expiresAtMs === -1) return;
    this.expires++;
    if (head.expiresAtMs < this.nowMs) this.expired++;
  }

  override end(summary: RdbSummary): void {
    this.summary = summary;
  }
}

class RdbCheck {
  private readonly window = new ByteWindow();
  private readonly lines: Lines;
  private readonly decoder: RdbDecoder;

  constructor(
    private readonly source: ByteSource,
    options: CheckRdbOptions,
    private readonly host: CheckerHost,
    private readonly context: ToolContext,
  ) {
    this.lines = new Lines(this.window, host, context.nowMs);
    this.decoder = new RdbDecoder(this.lines, {
      verifyChecksum: true,
      deep: true,
      dialect: options.dialect ?? undefined,
      onWarning: (code, offset, detail) => {
        // The original takes a collection without elements for damage.
        throw new FormatError(code, offset, detail);
      },
    });
  }

  async run(): Promise<number | null> {
    const { source, context, lines, host } = this;
    this.window.limit = source.size ?? Number.POSITIVE_INFINITY;
    const reader = await source.open();
    try {
      await pump(reader, this.window, this.decoder, {
        signal: context.signal,
        progress: (done) => context.progress({ label: source.label, done, total: source.size }),
      });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      await this.fail(error);
      return null;
    } finally {
      await reader.close();
    }
    const { endOffset, checksum } = lines.summary!;
    if (checksum === 'ok') host.line(`[offset ${endOffset}] Checksum OK`);
    if (checksum === 'disabled') {
      host.line(`[offset ${endOffset}] RDB file was saved with checksum disabled: no check performed.`);
    }
    host.line(`[offset ${endOffset}] \\o/ RDB looks OK! \\o/`);
    this.counts();
    return endOffset;
  }

  private counts(): void {
    const { keys, expires, expired } = this.lines;
    this.host.line(`[info] ${keys} keys read`);
    this.host.line(`[info] ${expires} expires`);
    this.host.line(`[info] ${expired} already expired`);
  }

  private async fail(error: FormatError): Promise<void> {
    const { host, lines } = this;
    const failure = await this.failureOf(error);
    host.line('--- RDB ERROR DETECTED ---');
    host.line(`[offset ${failure.offset}] ${failure.message}`);
    host.line(`[additional info] While doing: ${failure.doing}`);
    if (failure.key !== null) host.line(`[additional info] Reading key '${host.bytes(failure.key)}'`);
    if (lines.type !== -1) {
      host.line(`[additional info] Reading type ${lines.type} (${TYPE_NAMES[lines.type] ?? 'unknown'})`);
    }
    this.counts();
  }

  private async failureOf(error: FormatError): Promise<Failure> {
    const { lines, host } = this;
    if (lines.refusedFunctions) {
      const message = `Pre-release function format not supported ${lines.version}`;
      return { doing: 'read-type', offset: error.offset + 1, key: null, message };
    }
    if (error.code === 'rdb/checksum-mismatch') {
      return {
        doing: 'check-sum',
        offset: error.offset + TRAILER_BYTES,
        key: null,
        message: 'RDB CRC error',
      };
    }
    if (lines.version === 0) return this.headerFailure(error);
    const standing = await this.standingAt(error);
    const { doing, key } = standing;
    if (error.code === 'rdb/unknown-type' || error.code === 'rdb/unknown-opcode') {
      const message = `Invalid object type: ${error.detail['number']}`;
      return { doing, key, offset: error.offset + 1, message };
    }
    if (END_OF_FILE.has(error.code)) {
      const offset = standing.offset < 0 ? error.offset : standing.offset;
      return { doing, key, offset, message: 'Unexpected EOF reading RDB file' };
    }
    // The original has read the byte that it can't make sense of.
    const read = error.code === 'rdb/bad-length' || error.code === 'rdb/bad-string-encoding' ? 1 : 0;
    const message = `Internal error in RDB reading offset ${error.offset} -> ${host.reason(error)}`;
    return { doing, key, offset: error.offset + read, message };
  }

  private async headerFailure(error: FormatError): Promise<Failure> {
    const { size } = this.source;
    const start = { doing: 'start', key: null } as const;
    if ((size !== null && size < HEADER_BYTES) || END_OF_FILE.has(error.code)) {
      return { ...start, offset: 0, message: 'Unexpected EOF reading RDB file' };
    }
    if (error.code === 'rdb/bad-magic') {
      return { ...start, offset: HEADER_BYTES, message: 'Wrong signature trying to load DB from file' };
    }
    const { found, version } = error.detail;
    const number = version ?? /^[ \t\n\v\f\r]*([+-]?\d+)/.exec(String(found))?.[1] ?? '0';
    const message = `Can't handle RDB format version ${Number(number)}`;
    return { ...start, offset: HEADER_BYTES, message };
  }

  /** What was being read, and how far a reader of single numbers and strings would have come. */
  private async standingAt(error: FormatError): Promise<Standing> {
    const { window, lines, decoder, source } = this;
    const { reading } = error.detail;
    const between = { type: lines.type, key: null };
    if (reading === 'checksum') return { ...between, doing: 'check-sum', offset: error.offset };
    if (reading === 'module-aux' || error.trail[0] === 'module aux') {
      return { ...between, doing: 'read-module-aux', offset: error.offset };
    }
    const dialect = decoder.dialect!;
    const walk = new ShortfallWalk(source, source.size ?? window.base + window.end);
    if (decoder.insideKey) {
      const codec = dialect.typeOf[lines.type]!;
      const offset = await walk.layout(window.offset, codec.layout, window.offset > lines.at);
      return { doing: 'read-object-value', type: lines.type, key: decoder.head.key.latin1(), offset };
    }
    const standing = await walk.record(window.offset, dialect);
    if (standing.type >= 0) lines.type = standing.type;
    if (standing.doing === 'read-object-value') lines.keys++;
    return standing;
  }
}

interface Failure {
  readonly doing: Doing;
  readonly offset: number;
  readonly key: string | null;
  readonly message: string;
}

/** What the original meets as the end of the file, since it reads what a length asks for. */
const END_OF_FILE: ReadonlySet<string> = new Set([
  'rdb/truncated',
  'rdb/length-overrun',
  'input/item-too-large',
]);

const TYPE_NAMES = [
  'string',
  'list-linked',
  'set-hashtable',
  'zset-v1',
  'hash-hashtable',
  'zset-v2',
  'module-pre-release',
  'module-value',
  '',
  'hash-zipmap',
  'list-ziplist',
  'set-intset',
  'zset-ziplist',
  'hash-ziplist',
  'quicklist',
  'stream',
  'hash-listpack',
  'zset-listpack',
  'quicklist-v2',
  'stream-v2',
  'set-listpack',
  'stream-v3',
  'hash-hashtable-md-pre-release',
  'hash-listpack-md-pre-release',
  'hash-hashtable-md',
  'hash-listpack-md',
  'stream-v4',
  'stream-v5',
  'array',
] as const;

const MODULE_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The nine letters of the module's id that the record starts with; six bits each above the ten of its version. */
function moduleName(record: Buffer): string {
  if (record[0] !== 0x81) return 'A'.repeat(9);
  let id = record.readBigUInt64BE(1) >> 10n;
  let name = '';
  for (let i = 0; i < 9; i++) {
    name = MODULE_LETTERS[Number(id & 63n)]! + name;
    id >>= 6n;
  }
  return name;
}
