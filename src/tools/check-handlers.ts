import type { AofFileHandler } from '../aof/file.js';
import { type CommandRole, MULTI, QUEUED } from '../aof/transaction.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { ErrorDetail } from '../errors.js';
import type { Finding, FindingCode } from '../model/finding.js';
import { type Depth, ITEMS, type KeyHead, SKIP } from '../model/handler.js';
import type { Dialect } from '../rdb/dialect.js';
import { type RdbHeader, RdbSink, type RdbSummary } from '../rdb/handler.js';
import type { CommandSpans } from '../resp/command.js';
import type { NotChecked } from './report.js';

/** Findings of one code that are listed for one file; the rest is counted. */
const LISTED_PER_CODE = 20;

/** The findings of one file. */
export class FindingList {
  readonly list: Finding[] = [];
  private readonly counts = new Map<FindingCode, number>();

  constructor(private readonly file: string) {}

  add(
    code: FindingCode,
    offset: number,
    detail: ErrorDetail = {},
    head: KeyHead | null = null,
    trail: readonly string[] = [],
  ): void {
    const count = (this.counts.get(code) ?? 0) + 1;
    this.counts.set(code, count);
    if (count > LISTED_PER_CODE) return;
    const key = head === null ? {} : { database: head.database, key: head.key.latin1() };
    this.list.push({ code, where: { file: this.file, offset, trail, ...key }, detail });
  }

  /** Says how many findings are not in the list. */
  notListed(): NotChecked[] {
    return [...this.counts].flatMap(([code, count]) =>
      count > LISTED_PER_CODE
        ? [
            {
              path: this.file,
              what: `${count - LISTED_PER_CODE} more findings of ${code}`,
              why: 'not listed',
              routine: false,
            },
          ]
        : [],
    );
  }
}

/** Walks every value of an RDB, or with `quick` past every value, and keeps nothing of it. */
export class RdbCheck extends RdbSink {
  summary: RdbSummary | null = null;
  keys = 0;
  version: number | null = null;
  private headerDialect: Dialect | null = null;
  private modules = 0;
  private readonly depth: Depth;

  constructor(private readonly quick: boolean) {
    super();
    this.depth = quick ? SKIP : ITEMS;
  }

  get dialect(): Dialect | null {
    return this.summary?.dialect ?? this.headerDialect;
  }

  override header(header: RdbHeader): void {
    this.version = header.version;
    this.headerDialect = header.dialect;
  }

  override key(head: KeyHead): Depth {
    if (head.kind === 'module') this.modules++;
    return this.depth;
  }

  override keyEnd(): void {
    this.keys++;
  }

  override end(summary: RdbSummary): void {
    this.summary = summary;
  }

  notChecked(path: string): NotChecked[] {
    const list: NotChecked[] = [];
    if (this.version === null) return list;
    const checksum = this.summary?.checksum;
    if (checksum === 'disabled')
      list.push({ path, what: 'checksum', why: 'the file was saved without one', routine: false });
    if (checksum === 'none') {
      list.push({ path, what: 'checksum', why: `RDB version ${this.version} has none`, routine: false });
    }
    if (this.keys > 1) {
      list.push({
        path,
        what: 'duplicate keys',
        why: 'every key would have to be remembered',
        routine: true,
      });
    }
    if (this.quick) list.push({ path, what: 'values', why: '--quick walks past them', routine: false });
    if (this.modules > 0) {
      const why = 'only the module knows what its bytes mean; their framing is checked';
      list.push({ path, what: `values of ${this.modules} module keys`, why, routine: false });
    }
    return list;
  }
}

/** Counts the commands of a log and gathers its flaws. */
export class LogCheck implements AofFileHandler {
  commands = 0;
  /** Offset of a record in front of which to stop, if the log has one there, outside any transaction. */
  stopAt = Number.POSITIVE_INFINITY;
  /** True when it stopped there. */
  full = false;
  private insideTransaction = false;

  /** `onStart` is told where the commands begin. */
  constructor(
    private readonly findings: FindingList,
    private readonly onStart: (offset: number) => void = () => {},
  ) {}

  get stopped(): boolean {
    return this.full;
  }

  commandsStart(offset: number): void {
    this.onStart(offset);
  }

  command(command: CommandSpans, role: CommandRole): void {
    this.commands++;
    this.insideTransaction = role === MULTI || role === QUEUED;
    this.reach(command.offset + command.length);
  }

  annotation(line: ByteSlice, offset: number): void {
    this.reach(offset + line.length);
  }

  private reach(end: number): void {
    if (end < this.stopAt) return;
    this.full = end === this.stopAt && !this.insideTransaction;
    this.stopAt = Number.POSITIVE_INFINITY;
  }

  flaw(code: FindingCode, offset: number): void {
    this.findings.add(code, offset);
  }

  notChecked(path: string): NotChecked[] {
    if (this.commands === 0) return [];
    return [
      {
        path,
        what: 'meaning of commands',
        why: 'they are framed and counted; replay executes them',
        routine: true,
      },
    ];
  }
}
