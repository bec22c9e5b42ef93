import { type ByteSource, readAt } from '../../bytes/source.js';
import type { ErrorDetail } from '../../errors.js';
import type { Finding, FindingCode, Location } from '../../model/finding.js';
import type { KeyHead } from '../../model/handler.js';
import type { NotChecked } from '../report.js';

/** Findings of one code that are listed for one file; the rest is counted. */
const LISTED_PER_CODE = 20;

/** Bytes of a damaged range that are shown. */
const PREVIEW_BYTES = 24;

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

  /** Shows the first bytes of each range that is listed. */
  async addPreviews(source: ByteSource): Promise<void> {
    for (const [i, finding] of this.list.entries()) {
      const { offset, start = offset, length = 0 } = finding.where;
      const bytes = Math.min(start + length - offset, PREVIEW_BYTES);
      if (bytes <= 0) continue;
      const preview = (await readAt(source, offset, bytes)).latin1Slice();
      this.list[i] = { ...finding, preview };
    }
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
