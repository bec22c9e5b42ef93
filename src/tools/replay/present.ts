import { END } from '../../bytes/window.js';
import { RespOutput } from '../../keyspace/emit-resp.js';
import type { ReplyTaker } from '../../live/channel.js';
import { type Depth, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import { type Lane, type Lanes, ReplyFailure } from './lanes.js';
import type { KeySelection } from './selection.js';

/** A set of key numbers. */
export class KeyNumbers {
  count = 0;
  private readonly bits: Uint8Array;

  constructor(limit: number) {
    this.bits = new Uint8Array((limit + 7) >>> 3);
  }

  has(number: number): boolean {
    return (this.bits[number >>> 3]! & (1 << (number & 7))) !== 0;
  }

  add(number: number): void {
    if (this.has(number)) return;
    this.bits[number >>> 3]! |= 1 << (number & 7);
    this.count++;
  }
}

/** Keys asked about by one EXISTS; a cluster takes no more than one at a time. */
const KEYS_AT_ONCE = 32;

/** Asks for keys, some with one EXISTS, and hands the count of each to a listener. */
class Asker extends ItemSink {
  private number = 0;
  private selected = 0;
  private gathered: Buffer[] = [];
  private first = 0;
  private readonly outputs: Map<Lane, RespOutput>;

  constructor(
    private readonly lanes: Lanes,
    private readonly atOnce: number,
    private readonly wanted: (number: number) => boolean,
    private readonly databaseOf: (head: KeyHead) => number,
  ) {
    super();
    this.outputs = new Map(lanes.all.map((lane) => [lane, new RespOutput(lane.channel)]));
  }

  get full(): boolean {
    return this.lanes.full;
  }

  override key(head: KeyHead): Depth {
    const number = this.number++;
    if (!this.wanted(number)) return SKIP;
    const database = this.databaseOf(head);
    if (database !== this.selected) this.select(database);
    if (this.gathered.length === 0) this.first = number;
    this.gathered.push(head.key.copy());
    if (this.gathered.length === this.atOnce) this.send(this.lanes.of(head));
    return SKIP;
  }

  private select(database: number): void {
    this.send(this.lanes.all[0]!);
    this.selected = database;
    for (const [lane, output] of this.outputs) {
      lane.channel.expect(SELECTED);
      output.head(2);
      output.word('SELECT');
      output.word(String(database));
    }
  }

  /** One EXISTS of what was gathered; its ticket is the first number. */
  private send(lane: Lane): void {
    const { gathered } = this;
    if (gathered.length === 0) return;
    const output = this.outputs.get(lane)!;
    lane.channel.expect(this.first);
    output.head(1 + gathered.length);
    output.word('EXISTS');
    for (const key of gathered) output.bulk(key, 0, key.length);
    gathered.length = 0;
  }

  flush(): void {
    this.send(this.lanes.all[0]!);
    for (const output of this.outputs.values()) output.flush();
  }
}

/** Ticket of what is no question. */
const SELECTED = -1;

export interface PresenceQuestion {
  readonly selection: KeySelection;
  /** Number of its keys. */
  readonly keys: number;
  /** Keys before this number are not asked about. */
  readonly from: number;
  readonly isCluster: boolean;
  readonly databaseOf: (head: KeyHead) => number;
  /** Opens connections whose replies go to the taker. */
  readonly open: (taker: ReplyTaker) => Promise<Lanes>;
}

/** Which keys of a selection a target has already. @throws OutputError when it does not answer */
export async function presentKeys(question: PresenceQuestion): Promise<KeyNumbers> {
  const { keys, from, isCluster } = question;
  const present = new KeyNumbers(keys);
  if (isCluster) {
    await ask(
      question,
      1,
      (number) => number >= from,
      (number) => present.add(number),
    );
    return present;
  }
  const doubtful = new KeyNumbers(keys);
  await ask(
    question,
    KEYS_AT_ONCE,
    (number) => number >= from,
    // A batch ends early where the database changes: asking about a few too many does no harm.
    (first) => {
      for (let number = first; number < Math.min(keys, first + KEYS_AT_ONCE); number++) doubtful.add(number);
    },
  );
  if (doubtful.count > 0) {
    await ask(
      question,
      1,
      (number) => doubtful.has(number),
      (number) => present.add(number),
    );
  }
  return present;
}

async function ask(
  { selection, databaseOf, open }: PresenceQuestion,
  atOnce: number,
  wanted: (number: number) => boolean,
  found: (ticket: number) => void,
): Promise<void> {
  const lanes: Lanes = await open({
    done: () => {},
    absent: () => {},
    integer: (ticket, value) => {
      if (value > 0) found(ticket);
    },
    failed: (ticket, message) => lanes.fail(new ReplyFailure(ticket, message)),
  });
  try {
    const asker = new Asker(lanes, atOnce, wanted, databaseOf);
    const walk = selection.walk(asker);
    while (walk.run() !== END) {
      asker.flush();
      await lanes.drain();
    }
    asker.flush();
    await lanes.settle();
  } finally {
    lanes.close();
  }
}
