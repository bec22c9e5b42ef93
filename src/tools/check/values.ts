import { lowWord } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { KeyHead, StreamMeta } from '../../model/handler.js';
import { compareIds, formatId, type StreamId, ZERO_ID } from '../../model/stream-id.js';
import { type FindingList, placeOf } from './findings.js';

/** What a value must be besides well-formed, so that a server that loads it unseen serves it right. One for all keys. */
export class ValueSense {
  private head: KeyHead | null = null;
  private told = false;
  /** True for a sorted set that is served in the order in which it stands. */
  private ordered = false;
  private score = Number.NaN;
  private member = Buffer.alloc(64);
  private memberBytes = 0;
  private firstEntry = ZERO_ID;
  private lastEntry = ZERO_ID;
  private entries = 0;

  constructor(private readonly findings: FindingList) {}

  /** The head is borrowed until the key ends. */
  begin(head: KeyHead): void {
    this.head = head;
    this.told = false;
    if (head.kind === 'zset') {
      this.ordered = head.encoding === 'listpack' || head.encoding === 'ziplist';
      this.score = Number.NaN;
    } else if (head.kind === 'stream') {
      this.firstEntry = this.lastEntry = ZERO_ID;
      this.entries = 0;
    }
  }

  /** Members of one score must stand in the order of their bytes; that scores rise the decoder has seen. */
  nextMember({ bytes, start, end }: ByteSlice, score: number): void {
    if (!this.ordered) return;
    if (score === this.score && bytes.compare(this.member, 0, this.memberBytes, start, end) <= 0) {
      this.tell('rdb/unsorted-members', { member: bytes.latin1Slice(start, end) });
    }
    this.score = score;
    if (end - start > this.member.length) this.member = Buffer.allocUnsafeSlow((end - start) * 2);
    this.memberBytes = bytes.copy(this.member, 0, start, end);
  }

  nextEntry(id: StreamId): void {
    if (this.entries++ === 0) this.firstEntry = id;
    this.lastEntry = id;
  }

  /** Counters and ids of a stream, once all its entries have been told. */
  streamMeta({ length, lastId, firstId, maxDeletedId, entriesAdded }: StreamMeta): void {
    if (this.entries > 0 && compareIds(lastId, this.lastEntry) < 0) {
      this.oddStream('last-id-below-last-entry', lastId, this.lastEntry);
    } else if (this.entries > 0 && compareIds(firstId, this.firstEntry) !== 0) {
      this.oddStream('first-id-differs', firstId, this.firstEntry);
    } else if (compareIds(maxDeletedId, lastId) > 0) {
      this.oddStream('deleted-id-above-last-id', maxDeletedId, lastId);
    } else if (entriesAdded < length) {
      const reason = 'fewer-entries-added-than-there-are';
      this.tell('rdb/odd-stream', { reason, entriesAdded: lowWord(entriesAdded), entries: this.entries });
    }
  }

  private oddStream(reason: string, declared: StreamId, found: StreamId): void {
    this.tell('rdb/odd-stream', { reason, declared: formatId(declared), is: formatId(found) });
  }

  private tell(
    code: 'rdb/unsorted-members' | 'rdb/odd-stream',
    detail: Readonly<Record<string, string | number>>,
  ): void {
    // One for a value: what follows the first is likely to be as wrong.
    if (this.told) return;
    this.told = true;
    const head = this.head!;
    this.findings.add(code, head.offset, detail, placeOf(head));
  }
}
