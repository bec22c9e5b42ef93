import { ByteSlice } from '../bytes/slice.js';
import { END, NEED, PAUSE, type Progress } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { type Depth, FRAGMENTS, ITEMS, SKIP, TEXT_WHOLE_MAX } from '../model/handler.js';
import { COUNT_INSIDE, type ItemOutput, type TypeCodec, ValueWalk, type WarningSink } from './codec.js';
import { type Cursor, SHORT } from './cursor.js';
import { LargeText } from './large-text.js';
import { MeteredSkimmer, type SizeListener } from './metered-skim.js';
import type { PartialValue } from './shortcut.js';
import { Skimmer } from './skim.js';
import { HashTemplates } from './templates.js';
import { textEncoding } from './text.js';
import { string } from './types/string.js';

/** What a decoder may spend on one file, whatever the file says. */
export interface RdbLimits {
  /** The longest string that is put together in memory, in bytes; strings up to 16 KiB always are. */
  readonly stringBytesMax: number;
  /** The longest that is told whole to those who take fragments. Default: `TEXT_WHOLE_MAX`; smaller only in tests. */
  readonly wholeTextMax?: number;
}

/** Above what any server is configured to hold, and below what a Buffer can. */
export const DEFAULT_LIMITS: RdbLimits = { stringBytesMax: 0x7fffffff };

/** Reads one value after the other, each at the depth chosen for it. */
export class ValueReader {
  private readonly walk: ValueWalk;
  private readonly skimmer: Skimmer;
  private readonly fragment = new ByteSlice();
  private codec: TypeCodec = string;
  private depth: Depth = SKIP;
  private itemized = false;
  /** Absolute offset of the value's first byte. */
  private offset = 0;

  constructor(
    deep: boolean,
    limits: RdbLimits,
    private readonly warn: WarningSink,
    /** Templates of the file at hand, which hashes name by number. */
    readonly templates = new HashTemplates(),
    /** Told the sizes of what is walked past; null: nobody is. */
    sizes: SizeListener | null = null,
  ) {
    const large = new LargeText(limits.wholeTextMax ?? TEXT_WHOLE_MAX);
    this.walk = new ValueWalk(deep, limits.stringBytesMax, templates, large);
    this.skimmer = sizes === null ? new Skimmer(templates) : new MeteredSkimmer(templates, sizes);
  }

  /** A value of this type starts at the cursor. */
  begin(codec: TypeCodec, depth: Depth, cursor: Cursor): void {
    this.codec = codec;
    this.depth = depth;
    this.offset = cursor.offsetOf(cursor.position);
    this.itemized = depth >= ITEMS && codec.decode !== null;
    if (this.itemized) this.walk.begin(depth === FRAGMENTS);
    else this.skimmer.begin(codec.layout);
  }

  /** A value at whose next item the cursor stands, its first items being known to the handler. */
  resume(codec: TypeCodec, value: PartialValue, cursor: Cursor): void {
    const { walk } = this;
    this.begin(codec, ITEMS, cursor);
    walk.step = 1;
    walk.left = value.itemsLeft;
    walk.index = walk.items = value.itemIndex;
    codec.resume?.(walk, value);
  }

  /**
   * Goes on with the value: END when it is complete.
   * @throws FormatError whose trail starts with what kind of value it is
   */
  run(cursor: Cursor, out: ItemOutput): Progress {
    try {
      return this.itemized ? this.decode(cursor, out) : this.skim(cursor, out);
    } catch (error) {
      if (error instanceof FormatError) throw this.located(error);
      throw error;
    }
  }

  /** Bytes to come that nobody wants to see; whoever asks goes on behind them. */
  passOver(): number {
    return this.depth === SKIP && !this.itemized ? this.skimmer.passOver() : 0;
  }

  /** What is being read, outermost first, for messages. */
  get trail(): string[] {
    const { kind, unit } = this.codec;
    const { index } = this.walk;
    return this.itemized && index >= 0 ? [kind, `${unit} ${index}`] : [kind];
  }

  private decode(cursor: Cursor, out: ItemOutput): Progress {
    const { codec, walk } = this;
    const progress = codec.decode!(walk, cursor, out);
    if (progress === END && codec.neverEmpty && walk.items === 0) {
      this.warn('rdb/empty-value', this.offset, { kind: codec.kind, encoding: codec.encoding });
    } else if (progress === END && walk.emptyNodes > 0) {
      this.warn('rdb/empty-node', this.offset, { nodes: walk.emptyNodes });
    }
    return progress;
  }

  private skim(cursor: Cursor, out: ItemOutput): Progress {
    const from = cursor.position;
    const done = this.skimmer.run(cursor);
    if (this.depth !== SKIP && cursor.position > from) {
      out.raw(this.fragment.set(cursor.bytes, from, cursor.position));
      if (!done && out.full === true) return PAUSE;
    }
    return done ? END : NEED;
  }

  private located(error: FormatError): FormatError {
    for (const step of this.trail.reverse()) error.within(step);
    return error;
  }
}

/** How a value starting at `at` is held, in the words of OBJECT ENCODING; null when its head is not all here. */
export function encodingAt(codec: TypeCodec, cursor: Cursor, at: number): string | null {
  return codec.encoding === '' ? textEncoding(cursor, at) : codec.encoding;
}

/** How many items a value starting at `at` says it has, -1 when it does not say; null when its head is not all here. */
export function countAt(codec: TypeCodec, cursor: Cursor, at: number): number | null {
  if (codec.countAt === COUNT_INSIDE) return -1;
  return cursor.length(at + codec.countAt) === SHORT ? null : cursor.value;
}
