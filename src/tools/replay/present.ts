import { RespOutput } from '../../keyspace/emit-resp.js';
import type { ReplyTaker } from '../../live/channel.js';
import type { ClusterConnection } from '../../live/cluster.js';
import { isReplyError } from '../../live/connection.js';
import { type Depth, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import { type Lane, type Lanes, MOVED, ReplyFailure } from './lanes.js';
import { namesOf } from './names.js';
import type { Selection } from './selection.js';

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

  /** The numbers, ascending. */
  all(): number[] {
    const found: number[] = [];
    for (let number = 0; number < this.bits.length * 8; number++) if (this.has(number)) found.push(number);
    return found;
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
  readonly selection: Selection;
  /** Number of its keys. */
  readonly keys: number;
  /** Keys before this number are not asked about. */
  readonly from: number;
  /** Null: it is one server. */
  readonly cluster: ClusterConnection | null;
  readonly databaseOf: (head: KeyHead) => number;
  /** Opens connections whose replies go to the taker. */
  readonly open: (taker: ReplyTaker) => Promise<Lanes>;
}

/** Which keys of a selection a target has already. @throws OutputError when it does not answer */
export async function presentKeys(question: PresenceQuestion): Promise<KeyNumbers> {
  const { keys, from, cluster } = question;
  const present = new KeyNumbers(keys);
  const add = (number: number) => present.add(number);
  const isAsked = (number: number) => number >= from;
  if (cluster !== null) {
    const moved = new KeyNumbers(keys);
    await ask(question, 1, isAsked, add, moved);
    await askMoved(question.selection, moved, cluster, add);
    return present;
  }
  const doubtful = new KeyNumbers(keys);
  // A batch ends early where the database changes: asking about a few too many does no harm.
  const doubt = (first: number) => {
    const end = Math.min(keys, first + KEYS_AT_ONCE);
    for (let number = first; number < end; number++) doubtful.add(number);
  };
  await ask(question, KEYS_AT_ONCE, isAsked, doubt, null);
  if (doubtful.count > 0) await ask(question, 1, (number) => doubtful.has(number), add, null);
  return present;
}

/** Keys whose slot is on its way to another master: the client of the cluster follows them. */
async function askMoved(
  selection: Selection,
  moved: KeyNumbers,
  cluster: ClusterConnection,
  found: (number: number) => void,
): Promise<void> {
  const names = await namesOf(selection, moved, moved.count);
  const numbers = moved.all();
  for (const [i, { key }] of names.entries()) {
    const number = numbers[i]!;
    try {
      if ((await cluster.send(['EXISTS', Buffer.from(key, 'latin1')])) === 1) found(number);
    } catch (error) {
      throw isReplyError(error) ? new ReplyFailure(number, error.message) : error;
    }
  }
}

async function ask(
  { selection, databaseOf, open }: PresenceQuestion,
  atOnce: number,
  wanted: (number: number) => boolean,
  found: (ticket: number) => void,
  moved: KeyNumbers | null,
): Promise<void> {
  const lanes: Lanes = await open({
    done: () => {},
    absent: () => {},
    integer: (ticket, value) => {
      if (value > 0) found(ticket);
    },
    failed: (ticket, message) => {
      if (moved !== null && MOVED.test(message)) moved.add(ticket);
      else lanes.fail(new ReplyFailure(ticket, message));
    },
  });
  try {
    const asker = new Asker(lanes, atOnce, wanted, databaseOf);
    await selection.tell(asker, () => {
      asker.flush();
      return lanes.drain();
    });
    asker.flush();
    await lanes.settle();
  } finally {
    lanes.close();
  }
}
