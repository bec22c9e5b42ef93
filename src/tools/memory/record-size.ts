import { INT64_TEXT_MAX, Int64Words, parseInt64 } from '../../kernels/decimal.js';
import type { KeyHead } from '../../model/handler.js';
import type { ValueKind } from '../../model/kind.js';
import { TYPE_LIST_QUICKLIST } from '../../rdb/constants.js';
import type { SizeListener } from '../../rdb/metered-skim.js';
import {
  allocated,
  dictBytes,
  keyBytes,
  LIST_NODE_BYTES,
  listpackText,
  OBJECT,
  packedBytes,
  QUICKLIST,
  QUICKLIST_NODE,
  SKIPLIST,
  SKIPLIST_NODE,
  stringBytes,
  stringValueBytes,
} from './allocation.js';
import type { KeySize } from './key-size.js';
import { packedCount } from './packed-count.js';
import { StreamSize } from './stream-size.js';

/** How the value at hand is laid out. */
type Shape = 'text' | 'packed' | 'table' | 'nodes' | 'linked' | 'stream' | 'opaque';

const ENTRIES = 0;
const GROUP_NAME = 1;
const GROUP_PENDING = 2;
const CONSUMERS = 3;
const CONSUMER_NAME = 4;
const CONSUMER_PENDING = 5;
const PRODUCERS = 6;

/**
 * Estimates what the keys of an RDB take in a server from the lengths of their parts alone: nothing is decompressed or
 * decoded for it.
 */
export class RecordSize implements SizeListener, KeySize {
  fileBytes = 0;
  memoryBytes = 0;
  elements = 0;
  encoding = '';
  private shape: Shape = 'text';
  private head: KeyHead | null = null;
  /** Strings of the value so far, and what they take. */
  private strings = 0;
  private bytes = 0;
  /** Items as the value counts them. */
  private count = 0;
  /** What a packed structure holds, as it counts it. */
  private packedItems = 0;
  private readonly stream = new StreamSize();
  private step = ENTRIES;
  /** Loops of the stream that no other is around. */
  private sections = 0;
  private consumersLeft = 0;
  private consumerName = 0;
  private readonly words = new Int64Words();

  begin(head: KeyHead): void {
    this.head = head;
    this.encoding = head.encoding;
    this.shape = shapeOf(head);
    this.strings = this.bytes = this.count = this.packedItems = 0;
    this.step = ENTRIES;
    this.sections = 0;
  }

  string(length: number, bytes: Buffer, start: number, stored: number, packed: boolean): void {
    switch (this.shape) {
      case 'text':
        this.text(length, bytes, start, stored, packed);
        break;
      case 'packed':
        this.bytes = length;
        this.packedItems += packedCount(this.encoding, bytes, start, stored, packed);
        break;
      case 'table':
        this.bytes += stringBytes(length);
        break;
      case 'nodes':
        this.bytes += QUICKLIST_NODE + allocated(length);
        this.packedItems += this.count === 1 ? 1 : packedCount(this.nodes, bytes, start, stored, packed);
        break;
      case 'linked':
        this.bytes += listpackText(length);
        break;
      case 'stream':
        this.streamString(length);
        break;
      case 'opaque':
        break;
    }
    this.strings++;
  }

  length(value: number): void {
    // Of a list's node: whether it is packed.
    if (this.shape === 'nodes') this.count = value;
    else if (this.shape === 'stream' && this.step === ENTRIES) this.endEntries(value);
  }

  loop(times: number, depth: number): void {
    if (this.shape === 'stream') this.streamLoop(times, depth);
    else if (depth === 0 && this.shape !== 'nodes') this.count = times;
  }

  record(bytes: number): void {
    this.fileBytes = bytes;
    const head = this.head!;
    this.memoryBytes = Math.round(keyBytes(head.key.length) + this.valueBytes(head));
  }

  private valueBytes({ kind, encoding }: KeyHead): number {
    switch (this.shape) {
      case 'text':
        this.elements = 1;
        return this.bytes;
      case 'packed':
        this.elements = Math.ceil(this.packedItems / entriesOf(kind, encoding));
        if (kind === 'list') return OBJECT + QUICKLIST + QUICKLIST_NODE + allocated(this.bytes);
        return packedBytes(this.bytes);
      case 'table':
        this.elements = this.count;
        if (kind !== 'zset') return OBJECT + dictBytes(this.count) + this.bytes;
        return OBJECT + SKIPLIST + dictBytes(this.count) + SKIPLIST_NODE * this.count + this.bytes;
      case 'nodes':
        this.elements = this.packedItems;
        return OBJECT + QUICKLIST + this.bytes;
      case 'linked':
        this.elements = this.strings;
        return OBJECT + QUICKLIST + linkedBytes(this.bytes);
      case 'stream':
        return this.stream.end();
      case 'opaque':
        this.elements = encoding === '' ? 1 : Math.max(1, this.count);
        return OBJECT + allocated(this.fileBytes);
    }
  }

  private text(length: number, bytes: Buffer, start: number, stored: number, packed: boolean): void {
    const isNumber =
      stored === 0
        ? length > 0
        : !packed && length <= INT64_TEXT_MAX && parseInt64(bytes, start, start + length, this.words);
    if (isNumber) this.encoding = 'int';
    this.bytes = stringValueBytes(length, isNumber);
  }

  /** What the nodes of a list are packed in. */
  private get nodes(): string {
    return this.head!.typeId === TYPE_LIST_QUICKLIST ? 'ziplist' : 'listpack';
  }

  private streamString(length: number): void {
    switch (this.step) {
      case ENTRIES:
        // Each node is its first id and a listpack.
        if (this.strings % 2 === 1) this.bytes += allocated(length);
        break;
      case GROUP_NAME:
        this.step = GROUP_PENDING;
        break;
      case CONSUMER_NAME:
        this.consumerName = length;
        this.step = CONSUMER_PENDING;
        break;
    }
  }

  private endEntries(entries: number): void {
    this.elements = entries;
    this.stream.begin();
    this.stream.nodes(this.count, this.bytes);
    this.step = GROUP_NAME;
  }

  private streamLoop(times: number, depth: number): void {
    if (depth === 0) {
      this.count = times;
      if (++this.sections === 3) this.step = PRODUCERS;
    } else if (depth === 1 && this.step === GROUP_PENDING) {
      this.stream.group(times);
      this.step = CONSUMERS;
    } else if (depth === 1 && this.step === CONSUMERS) {
      this.consumersLeft = times;
      this.step = times > 0 ? CONSUMER_NAME : GROUP_NAME;
    } else if (this.step === CONSUMER_PENDING) {
      this.stream.consumer(this.consumerName, times);
      this.step = --this.consumersLeft > 0 ? CONSUMER_NAME : GROUP_NAME;
    }
  }
}

/** Entries of a packed structure that are one item. */
function entriesOf(kind: ValueKind, encoding: string): number {
  if (encoding === 'listpackex') return 3;
  return (kind === 'hash' && encoding !== 'zipmap') || kind === 'zset' ? 2 : 1;
}

/** Nodes of a list for entries of so many bytes, each as full as a server makes it. */
export function linkedBytes(bytes: number): number {
  const full = Math.floor(bytes / LIST_NODE_BYTES);
  const rest = bytes - full * LIST_NODE_BYTES;
  return full * (QUICKLIST_NODE + LIST_NODE_BYTES) + (rest > 0 ? QUICKLIST_NODE + allocated(rest) : 0);
}

function shapeOf({ kind, encoding }: KeyHead): Shape {
  switch (kind) {
    case 'string':
      return 'text';
    case 'list':
      return encoding === 'quicklist' ? 'nodes' : encoding === 'linkedlist' ? 'linked' : 'packed';
    case 'set':
    case 'hash':
    case 'zset':
      return encoding === 'hashtable' || encoding === 'skiplist' ? 'table' : 'packed';
    case 'stream':
      return 'stream';
    default:
      return 'opaque';
  }
}
