import type { Long } from '../bytes/int64.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { Progress } from '../bytes/window.js';
import type { ErrorDetail } from '../errors.js';
import type { FindingCode } from '../model/finding.js';
import type { ItemHandler } from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';
import type { Cursor } from './cursor.js';
import type { LargeText } from './large-text.js';
import { DuplicateFinder } from './packed/duplicates.js';
import { PackedEntry } from './packed/entry.js';
import { IntsetReader } from './packed/intset.js';
import { ListpackReader } from './packed/listpack.js';
import { ZiplistReader } from './packed/ziplist.js';
import { ZipmapReader } from './packed/zipmap.js';
import type { PartialValue } from './shortcut.js';
import type { Layout } from './skim.js';
import type { HashTemplates } from './templates.js';
import { TextReader } from './text.js';
import { StreamWalk } from './types/stream-walk.js';
import { VectorSetWalk } from './types/vector-set-walk.js';

/** Where a value says how many items it has, in bytes from its start; COUNT_INSIDE: only by walking it. */
export const COUNT_INSIDE = -1;

/** What one type number stands for. */
export interface TypeCodec {
  readonly kind: ValueKind;
  /** As OBJECT ENCODING would say it; '' when only the head of the value tells. */
  readonly encoding: string;
  /** What one item is called in messages. */
  readonly unit: string;
  readonly layout: Layout;
  readonly countAt: number;
  /** False when a value without items is an ordinary one. */
  readonly neverEmpty: boolean;
  /** True for hashes whose fields may have TTLs. */
  readonly fieldsExpire?: boolean;
  /**
   * Reports items of the value at hand until it is done (END), the window is short (NEED) or the handler is full
   * (PAUSE). Null when the value can be handed over only as it stands.
   */
  readonly decode: ((walk: ValueWalk, cursor: Cursor, out: ItemOutput) => Progress) | null;
  /** Sets what a walk must know, besides a count of items, to go on in the middle of a value. */
  readonly resume?: (walk: ValueWalk, value: PartialValue) => void;
}

/** An item handler that may be full, and is asked after every item. */
export type ItemOutput = ItemHandler & { readonly full?: boolean };

export type WarningSink = (code: FindingCode, offset: number, detail: ErrorDetail) => void;

/** Where a codec stands in a value: a few numbers, and the readers that all codecs share. */
export class ValueWalk {
  /** Which part of the value comes next; each codec has its own. */
  step = 0;
  /** Texts that are too large to be put together are told in fragments. */
  inFragments = false;
  /** Items still to come in the loop at hand. */
  left = 0;
  /** The item at hand, for messages; -1 outside of items. */
  index = -1;
  /** Items reported so far. */
  items = 0;
  /** Nodes of the list at hand that hold nothing. */
  emptyNodes = 0;
  /** Base of the times of expiry in the hash at hand, in milliseconds. */
  smallestExpiry = 0;
  /** Index of the array element before the one at hand. */
  previous: Long = -1;
  /** Text of the array element at hand. */
  tagged: ByteSlice;
  /** Names of the fields whose values are told one after the other. */
  names: readonly ByteSlice[] = [];
  readonly text: TextReader;
  readonly other: TextReader;
  readonly entry = new PackedEntry();
  readonly entry2 = new PackedEntry();
  readonly entry3 = new PackedEntry();
  readonly listpack = new ListpackReader();
  readonly ziplist = new ZiplistReader();
  readonly intset = new IntsetReader();
  readonly zipmap = new ZipmapReader();
  readonly stream = new StreamWalk();
  readonly vectors: VectorSetWalk;
  private readonly seen = new DuplicateFinder();

  constructor(
    readonly deep: boolean,
    stringBytesMax: number,
    readonly templates: HashTemplates,
    readonly large: LargeText,
  ) {
    this.text = new TextReader(stringBytesMax);
    this.other = new TextReader(stringBytesMax);
    this.tagged = this.text.slice;
    this.vectors = new VectorSetWalk(stringBytesMax);
  }

  begin(inFragments: boolean): void {
    this.inFragments = inFragments;
    this.step = 0;
    this.left = 0;
    this.index = -1;
    this.items = 0;
    this.emptyNodes = 0;
    this.smallestExpiry = 0;
    if (this.deep) this.seen.reset();
  }

  /** False when the walk is deep and the value has had this text before. */
  isNew(text: ByteSlice): boolean {
    return !this.deep || this.seen.add(text);
  }
}
