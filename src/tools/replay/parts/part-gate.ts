import type { LogContext } from '../../../aof/log.js';
import type { ByteSlice } from '../../../bytes/slice.js';
import type { KeyShare } from '../../../kernels/engine-kernel.js';
import { CommandSpans } from '../../../resp/command.js';
import { KeyArguments } from '../../../resp/command-keys.js';
import type { RebuildPart } from '../../rebuild.js';
import type { Placement } from './placement.js';
import { ALL_KEYS, ANY_KEYS, EACH_KEY, EACH_PAIR, FIRST_KEY, NO_KEY, reachOf, SECOND_KEY } from './reach.js';

/** A command needs keys together that lie in several parts: the dataset cannot be parted like this. */
export class PartsCrossed extends Error {
  override readonly name = 'PartsCrossed';
}

/** What of a log concerns one part of the dataset. The first part, 0, also has what belongs to no key. */
export class PartGate implements RebuildPart {
  tells = true;
  readonly isFirst: boolean;
  readonly share: KeyShare;
  private readonly some = new CommandSpans();
  private readonly keys = new KeyArguments();

  constructor(
    private readonly placement: Placement,
    private readonly part: number,
  ) {
    this.isFirst = part === 0;
    this.share = { part, partOf: placement.partOf, secret: placement.secret };
  }

  owns({ bytes, start, end }: ByteSlice): boolean {
    return this.placement.part(bytes, start, end) === this.part;
  }

  /** @throws PartsCrossed */
  take(command: CommandSpans, _context: LogContext): CommandSpans | null {
    this.tells = true;
    const reach = reachOf(command);
    switch (reach) {
      case FIRST_KEY:
      case SECOND_KEY:
        return this.partAt(command, reach) === this.part ? command : null;
      case EACH_KEY:
        return this.shareOf(command, 1);
      case EACH_PAIR:
        return this.shareOf(command, 2);
      case ALL_KEYS:
        // What it does or why it is refused does not depend on keys: the first part tells.
        this.tells = this.isFirst;
        return command;
      case NO_KEY:
        return this.isFirst ? command : null;
      case ANY_KEYS:
        throw new PartsCrossed();
      default:
        return this.together(command) ? command : null;
    }
  }

  private partAt(command: CommandSpans, i: number): number {
    return this.placement.part(command.bytes, command.starts[i]!, command.ends[i]!);
  }

  private together(command: CommandSpans): boolean {
    const { count, at } = this.keys.find(command);
    if (count === 0) return this.isFirst;
    const part = this.partAt(command, at[0]!);
    for (let i = 1; i < count; i++) if (this.partAt(command, at[i]!) !== part) throw new PartsCrossed();
    return part === this.part;
  }

  /** The name and those of the groups of `step` arguments behind it whose first is a key of this part. */
  private shareOf(command: CommandSpans, step: number): CommandSpans | null {
    const { argc, starts, ends } = command;
    const { some: share } = this;
    let count = 1;
    share.reserve(argc);
    for (let i = 1; i < argc; i += step) {
      if (this.partAt(command, i) !== this.part) continue;
      for (let k = 0; k < step; k++, count++) {
        share.starts[count] = starts[i + k]!;
        share.ends[count] = ends[i + k]!;
      }
    }
    if (count === 1) return null;
    if (count === argc) return command;
    share.bytes = command.bytes;
    share.starts[0] = starts[0]!;
    share.ends[0] = ends[0]!;
    share.argc = share.held = count;
    share.offset = command.offset;
    share.length = command.length;
    return share;
  }
}
