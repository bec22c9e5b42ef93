import type { GrowingBytes } from '../bytes/growing-bytes.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { ItemBatch, RespOutput } from './emit-resp.js';

/** Longer than the members that any sensible setting lets a server pack. */
const FILLER = Buffer.from(
  'Longer than what is packed, so that scores of -0 keep their sign; removed again. '.padEnd(1025, '.'),
);

/**
 * Keeps the sign of scores of -0. Servers lose it where they pack a sorted set, and pack every one until something long or
 * much has come; once unpacked it stays so. So before the first -0 comes a long member, which goes again at the end.
 */
export class NegativeZeros {
  private isPut = false;
  /** Whether the sorted set has such a member of its own. */
  private isOwn = false;

  constructor(
    private readonly output: RespOutput,
    private readonly batch: ItemBatch,
    private readonly key: GrowingBytes,
  ) {}

  begin(): void {
    this.isPut = this.isOwn = false;
  }

  /** To be told of each member before it is added to the batch. */
  before(member: ByteSlice, score: number): void {
    const { batch } = this;
    if (member.length === FILLER.length && member.view().equals(FILLER)) this.isOwn = true;
    if (this.isPut || !Object.is(score, -0)) return;
    this.isPut = true;
    if (this.isOwn) return;
    batch.flush();
    this.command('ZADD', 4);
    this.output.word('0');
    this.output.bulk(FILLER, 0, FILLER.length);
  }

  /** To be called behind the last member, when its batch is flushed. */
  end(): void {
    if (!this.isPut || this.isOwn) return;
    this.command('ZREM', 3);
    this.output.bulk(FILLER, 0, FILLER.length);
  }

  private command(name: string, argc: number): void {
    const { output, key } = this;
    output.head(argc);
    output.word(name);
    output.bulk(key.bytes, 0, key.end);
  }
}
