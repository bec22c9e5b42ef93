import type { Cut } from '../../../aof/cut.js';
import { type LogContext, type LogHandler, readLog } from '../../../aof/log.js';
import type { AofFileEntry, AofSet } from '../../../aof/set.js';
import type { RdbDecoderOptions } from '../../../rdb/decoder.js';
import { RdbSink } from '../../../rdb/handler.js';
import type { CommandSpans } from '../../../resp/command.js';
import { KeyArguments } from '../../../resp/command-keys.js';
import type { ToolContext } from '../../context.js';
import { namingFile } from '../../report.js';
import { bucketsFor, type HashSecret, Placement } from './placement.js';
import { ANY_KEYS, EACH_KEY, EACH_PAIR, FIRST_KEY, KEYS_TOGETHER, reachOf, SECOND_KEY } from './reach.js';

/** A command of a log, for messages. */
export interface NamedCommand {
  /** In upper case. */
  readonly name: string;
  /** Base name. */
  readonly file: string;
  readonly offset: number;
}

/** How buckets were dealt out. */
export interface Dealt {
  /** Of what was dealt out, that of whoever got most. */
  readonly share: number;
  /** Whether the heaviest group is one that commands joined. */
  readonly joined: boolean;
}

/** Buckets that commands join into groups, each of which must stay in one part. */
export class BucketGroups {
  /** A command that may reach any key: nothing can be parted. */
  anyKeys: NamedCommand | null = null;
  /** The first command of the kind that joined most. */
  joiner: NamedCommand | null = null;
  private readonly parents: Int32Array;
  /** Bytes of commands about keys of a bucket. */
  private readonly weights: Float64Array;

  constructor(
    readonly secret: HashSecret,
    readonly count: number,
  ) {
    this.weights = new Float64Array(count);
    this.parents = new Int32Array(count);
    for (let i = 0; i < count; i++) this.parents[i] = i;
  }

  /** True when it was news. */
  join(a: number, b: number): boolean {
    const first = this.rootOf(a);
    const second = this.rootOf(b);
    if (first === second) return false;
    this.parents[Math.max(first, second)] = Math.min(first, second);
    return true;
  }

  weigh(bucket: number, bytes: number): void {
    this.weights[bucket]! += bytes;
  }

  /** Bytes whose keys are anywhere. */
  weighAll(bytes: number): void {
    for (let i = 0; i < this.count; i++) this.weights[i]! += bytes / this.count;
  }

  /**
   * Deals the buckets of a part out to some, whole groups at a time, so that those weigh about the same. Changes
   * `partOf`.
   */
  deal(partOf: Uint8Array, from: number, to: readonly number[]): Dealt {
    const { count } = this;
    const sums = new Float64Array(count);
    const sizes = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      if (partOf[i] !== from) continue;
      const root = this.rootOf(i);
      // Even where no command says anything of it, a bucket is not nothing.
      sums[root]! += this.weights[i]! + 1;
      sizes[root]!++;
    }
    // The few large ones first, by weight: what is left evens out.
    const groups: number[] = [];
    let heaviest = 0;
    for (let i = 0; i < count; i++) {
      if (sizes[i]! > 1) groups.push(i);
      if (sums[i]! > sums[heaviest]!) heaviest = i;
    }
    groups.sort((a, b) => sums[b]! - sums[a]!);
    const loads = new Float64Array(to.length);
    const chosen = new Uint8Array(count);
    const place = (root: number): void => {
      let lightest = 0;
      for (let k = 1; k < to.length; k++) if (loads[k]! < loads[lightest]!) lightest = k;
      loads[lightest]! += sums[root]!;
      chosen[root] = to[lightest]!;
    };
    for (const root of groups) place(root);
    for (let i = 0; i < count; i++) if (sizes[i] === 1) place(i);
    for (let i = 0; i < count; i++) if (partOf[i] === from) partOf[i] = chosen[this.rootOf(i)]!;
    const share = Math.max(...loads) / loads.reduce((sum, load) => sum + load, Number.MIN_VALUE);
    return { share, joined: sizes[heaviest]! > 1 };
  }

  private rootOf(bucket: number): number {
    const { parents } = this;
    let at = bucket;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]!]!;
      at = parents[at]!;
    }
    return at;
  }
}

/**
 * Reads a log for which keys its commands need together, and how much it says of each bucket.
 *
 * @throws what `readLog` throws
 */
export async function findGroups(
  set: AofSet,
  cut: Cut,
  rdb: RdbDecoderOptions,
  secret: HashSecret,
  context: ToolContext,
): Promise<BucketGroups> {
  const bytes = set.files.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const scan = new JoinScan(new BucketGroups(secret, bucketsFor(bytes)));
  await namingFile(set.manifestPath ?? set.directory, () =>
    readLog(set, scan, cut, {
      rdb,
      signal: context.signal,
      progress: (file, done) =>
        context.progress({ phase: 'looking how to part', label: file.path, done, total: file.size }),
    }),
  );
  return scan.result();
}

class JoinScan implements LogHandler {
  readonly rdb = new RdbSink();
  readonly full = false;
  private readonly placement: Placement;
  private readonly keys = new KeyArguments();
  private readonly counts = new Map<string, { count: number; first: NamedCommand }>();
  /** The file at hand, and whether a command of it was seen. */
  private file: AofFileEntry | null = null;
  private begun = false;

  constructor(private readonly groups: BucketGroups) {
    this.placement = new Placement(groups.secret, new Uint8Array(groups.count));
  }

  fileStart(file: AofFileEntry): void {
    this.file = file;
    this.begun = false;
  }

  apply(command: CommandSpans, context: LogContext): void {
    if (!this.begun) this.begin(context.offset);
    const reach = reachOf(command);
    if (reach === FIRST_KEY || reach === SECOND_KEY) {
      this.groups.weigh(this.bucketAt(command, reach), command.length);
    } else if (reach === EACH_KEY || reach === EACH_PAIR) {
      const step = reach === EACH_KEY ? 1 : 2;
      const bytes = (command.length / (command.argc - 1)) * step;
      for (let i = 1; i < command.argc; i += step) this.groups.weigh(this.bucketAt(command, i), bytes);
    } else if (reach === KEYS_TOGETHER) {
      this.joinAll(command, context);
    } else if (reach === ANY_KEYS) {
      this.groups.anyKeys ??= named(command, context);
    }
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  result(): BucketGroups {
    if (!this.begun && this.file?.format === 'rdb') this.begin(this.file.size ?? 0);
    const [most] = [...this.counts.values()].sort((a, b) => b.count - a.count);
    this.groups.joiner = most?.first ?? null;
    return this.groups;
  }

  /** What stands before the first command of a file is an RDB. */
  private begin(offset: number): void {
    this.begun = true;
    if (this.file?.format === 'rdb' && offset > 0) this.groups.weighAll(offset);
  }

  private bucketAt(command: CommandSpans, i: number): number {
    return this.placement.bucket(command.bytes, command.starts[i]!, command.ends[i]!);
  }

  private joinAll(command: CommandSpans, context: LogContext): void {
    const { groups } = this;
    const { count, at } = this.keys.find(command);
    if (count === 0) return;
    const first = this.bucketAt(command, at[0]!);
    groups.weigh(first, command.length);
    for (let i = 1; i < count; i++) {
      if (!groups.join(first, this.bucketAt(command, at[i]!))) continue;
      const name = command.latin1(0).toUpperCase();
      const counted = this.counts.get(name);
      if (counted === undefined) this.counts.set(name, { count: 1, first: named(command, context) });
      else counted.count++;
    }
  }
}

function named(command: CommandSpans, { file, offset }: LogContext): NamedCommand {
  return { name: command.latin1(0).toUpperCase(), file: file.name, offset };
}
