import type { Cut } from '../../src/aof/cut.js';
import { NO_CUT } from '../../src/aof/cut.js';
import { type LogContext, type LogEnd, type LogHandler, readLog } from '../../src/aof/log.js';
import { type AofFileEntry, type AofSet, singleFileSet } from '../../src/aof/set.js';
import { type ByteReader, type ByteSource, MemorySource } from '../../src/bytes/source.js';
import { RdbSink } from '../../src/rdb/handler.js';
import type { CommandSpans } from '../../src/resp/command.js';
import { DribblingReader } from './chop-resp.js';

/** Records what a log tells: one line for each command, one for each file. */
export class LogRecorder implements LogHandler {
  readonly lines: string[] = [];
  readonly rdb = new KeyCounter();
  readonly counts = new Map<string, number>();
  readonly names = new Map<string, Map<string, number>>();
  lastArgs: string[] = [];
  full = false;
  drains = 0;

  constructor(private readonly pauses = false) {}

  fileStart(file: AofFileEntry): void {
    this.lines.push(`file ${file.name}`);
    this.counts.set(file.name, 0);
    this.names.set(file.name, new Map());
  }

  apply(command: CommandSpans, context: LogContext): void {
    const args = Array.from({ length: command.argc }, (_, i) => command.latin1(i));
    const { offset, length, number, timeMs, database, inTransaction } = context;
    const time = timeMs < 0 ? '-' : timeMs / 1000;
    const multi = inTransaction ? ' multi' : '';
    this.lines.push(`${number} @${offset}+${length} t${time} db${database}${multi} ${args.join(' ')}`);
    this.lastArgs = args;
    this.counts.set(context.file.name, this.counts.get(context.file.name)! + 1);
    const names = this.names.get(context.file.name)!;
    const name = args[0]!.toUpperCase();
    names.set(name, (names.get(name) ?? 0) + 1);
    this.full = this.pauses;
  }

  async drain(): Promise<void> {
    this.drains++;
    this.full = false;
  }
}

class KeyCounter extends RdbSink {
  keys = 0;

  override keyEnd(): void {
    this.keys++;
  }
}

const RDB = { verifyChecksum: true, deep: false };

/** Reads a set into a recorder. */
export async function record(
  set: AofSet,
  cut: Partial<Cut> = {},
  options: { pauses?: boolean; chunkBytes?: number } = {},
): Promise<{ recorder: LogRecorder; end: LogEnd }> {
  const recorder = new LogRecorder(options.pauses);
  const chunkBytes = options.chunkBytes === undefined ? {} : { chunkBytes: options.chunkBytes };
  const end = await readLog(set, recorder, { ...NO_CUT, ...cut }, { rdb: RDB, ...chunkBytes });
  return { recorder, end };
}

/** A set of files that are only in memory, in load order; the first is the base when it says so. */
export async function memorySet(files: Readonly<Record<string, string | Buffer>>): Promise<AofSet> {
  const entries: AofFileEntry[] = [];
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    const [entry] = (await singleFileSet(new MemorySource(bytes, name))).files;
    entries.push({ ...entry!, role: name.includes('base') ? 'base' : 'incr' });
  }
  const empty = await singleFileSet(new MemorySource(Buffer.alloc(0)));
  return { ...empty, files: entries };
}

/** The same set, every file read in parts of these sizes. */
export function dribbling(set: AofSet, ...sizes: number[]): AofSet {
  return { ...set, files: set.files.map((file) => ({ ...file, source: dribble(file.source, sizes) })) };
}

function dribble(source: ByteSource, sizes: readonly number[]): ByteSource {
  const open = async (): Promise<ByteReader> => {
    const bytes = Buffer.alloc(source.size!);
    await (await source.open()).read(bytes);
    return new DribblingReader(bytes, sizes);
  };
  return { label: source.label, size: source.size, open };
}
