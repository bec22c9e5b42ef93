import { NO_CUT } from '../../aof/cut.js';
import type { PumpOptions } from '../../bytes/pump.js';
import { FileSource } from '../../bytes/source.js';
import { END } from '../../bytes/window.js';
import type { Keyspace } from '../../keyspace/keyspace.js';
import { Walk } from '../../keyspace/walk.js';
import type { ToolContext } from '../context.js';
import type { DatasetSource } from '../source.js';
import {
  type DatasetListener,
  type TellOptions,
  type Told,
  tellProducer,
  tellSource,
} from '../tell-source.js';
import { SkippingSource } from './skipping-source.js';

function without(source: DatasetSource, skips: Float64Array): DatasetSource {
  return source.kind === 'rdb' && source.bytes instanceof FileSource
    ? { ...source, bytes: new SkippingSource(source.bytes, skips) }
    : source;
}

/** Small, as what was read is still in the cache of the processor when the kernel comes to it. */
const CHUNK_BYTES = 256 * 1024;
/** Where most is not even read, as much as a room holds. */
const SKIPPING_CHUNK_BYTES = 512 * 1024;

/** How a file is read into rooms, of which these parts are not. */
export const readingTo = (
  rooms: PumpOptions['rooms'],
  skips: Float64Array,
): Pick<PumpOptions, 'rooms' | 'chunkBytes'> => ({
  rooms,
  chunkBytes: skips.length === 0 ? CHUNK_BYTES : SKIPPING_CHUNK_BYTES,
});

const NO_SKIPS = new Float64Array(0);

/** One side of a comparison, told as often as it takes. A log is executed once, and its dataset held. */
export class Side {
  private keyspace: Keyspace | null = null;
  private verified = false;
  private executed: (Told & { readonly producer: Parameters<typeof tellProducer>[0] | null }) | null = null;

  constructor(
    readonly source: DatasetSource,
    private readonly options: TellOptions,
    private readonly context: ToolContext,
  ) {}

  /** What executing the log left to say; null when nothing had to be executed. */
  get told(): Told | null {
    return this.executed;
  }

  /** The side was read whole, by somebody else: from now on its checksum is not computed again. */
  setVerified(): void {
    this.verified = true;
  }

  /**
   * `skips`: parts of a file that need not be read, as nobody looks at them; `rooms`: where to read to.
   *
   * @throws DamageError
   */
  async tell(
    listener: DatasetListener,
    skips: Float64Array | null = null,
    rooms: PumpOptions['rooms'] | null = null,
  ): Promise<void> {
    const { context } = this;
    const source = skips === null ? this.source : without(this.source, skips);
    const reading = rooms && readingTo(rooms, skips ?? NO_SKIPS);
    const options = reading === null ? this.options : { ...this.options, reading };
    if (source.kind !== 'aof') {
      await tellSource(source, listener, { ...options, verified: this.verified }, context);
      this.verified = true;
      return;
    }
    if (this.keyspace === null) {
      // The engine is loaded for those who have a log.
      const { rebuild } = await import('../rebuild.js');
      const { dialect, onUnknown } = options;
      const rebuilt = await rebuild(source.set, { cut: NO_CUT, as: null, onUnknown, dialect }, context);
      this.keyspace = rebuilt.keyspace;
      this.executed = { ...rebuilt, findings: rebuilt.end.findings };
    }
    const producer = this.executed?.producer ?? null;
    if (producer !== null) tellProducer(producer, listener);
    const walk = new Walk(this.keyspace, listener);
    while (walk.run() !== END) {
      await listener.drain();
      context.signal.throwIfAborted();
    }
  }
}
