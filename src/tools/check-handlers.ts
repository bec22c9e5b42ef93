import type { ErrorDetail } from '../errors.js';
import type { Finding, FindingCode, Location } from '../model/finding.js';
import { type Depth, ITEMS, type KeyHead, SKIP } from '../model/handler.js';
import type { Dialect } from '../rdb/dialect.js';
import { type RdbHeader, RdbSink, type RdbSummary } from '../rdb/handler.js';
import type { NotChecked } from './report.js';

/** Findings of one code that are listed for one file; the rest is counted. */
const LISTED_PER_CODE = 20;

/** The findings of one file. */
export class FindingList {
  readonly list: Finding[] = [];
  private readonly counts = new Map<FindingCode, number>();

  constructor(private readonly file: string) {}

  add(code: FindingCode, offset: number, detail: ErrorDetail = {}, more: Partial<Location> = {}): void {
    const count = (this.counts.get(code) ?? 0) + 1;
    this.counts.set(code, count);
    if (count > LISTED_PER_CODE) return;
    this.list.push({ code, where: { trail: [], ...more, file: this.file, offset }, detail });
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

/** Where a key's finding is. */
export function placeOf(head: KeyHead): Pick<Location, 'database' | 'key'> {
  return { database: head.database, key: head.key.latin1() };
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
