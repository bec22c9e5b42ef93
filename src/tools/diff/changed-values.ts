import { type Depth, type ItemHandler, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import type { KeyRecord } from '../../model/value.js';
import { ValueCollector } from '../../model/value-collector.js';
import { ItemRelay } from '../relay.js';

/** Bytes of values that are held at a time; one that is larger is held by itself. */
const HELD_BYTES = 64 << 20;

const placeOf = ({ database, key }: { database: number; key: Buffer }): string =>
  `${database}:${key.latin1Slice(0, key.length)}`;

/** Collects values of the first side, those that were not yet, until they are many. */
export class HeldValues extends ItemRelay {
  readonly records = new Map<string, KeyRecord>();
  /** Keys met so far, over all rounds: where the next one begins. */
  reached: number;
  /** True when some were left for a further round. */
  more = false;
  private met = 0;
  private bytes = 0;
  private readonly collector: ValueCollector;

  /** Passes over the first `from` keys. */
  constructor(private readonly from: number) {
    const collector = new ValueCollector((record) => this.take(record));
    super(collector);
    this.collector = collector;
    this.reached = from;
  }

  private take(record: KeyRecord): void {
    this.records.set(placeOf(record), record);
    this.bytes += this.collector.sizeBytes;
    this.reached = this.met;
  }

  override key(head: KeyHead): Depth {
    if (this.met++ < this.from) return this.pass(SINK, head);
    if (this.bytes < HELD_BYTES && !this.more) return this.pass(this.collector, head);
    this.more = true;
    return this.pass(SINK, head);
  }

  private pass(target: ItemHandler, head: KeyHead): Depth {
    this.target = target;
    return target.key(head);
  }
}

const SINK = new ItemSink();

/** Meets the values that are held with those of the other side. */
export class MeetingValues extends ItemRelay {
  private passing = false;

  constructor(
    private readonly held: ReadonlyMap<string, KeyRecord>,
    meet: (before: KeyRecord, after: KeyRecord) => void,
  ) {
    super(
      new ValueCollector((record) => {
        const before = held.get(placeOf(record));
        if (before !== undefined) meet(before, record);
      }),
    );
  }

  override key(head: KeyHead): Depth {
    this.passing = this.held.has(`${head.database}:${head.key.latin1()}`);
    return this.passing ? this.target.key(head) : SKIP;
  }

  override keyEnd(head: KeyHead): void {
    if (this.passing) this.target.keyEnd(head);
  }
}
