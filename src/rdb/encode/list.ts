import type { ByteSlice } from '../../bytes/slice.js';
import {
  NODE_PACKED,
  NODE_PLAIN,
  TYPE_LIST,
  TYPE_LIST_QUICKLIST,
  TYPE_LIST_QUICKLIST_2,
  TYPE_LIST_ZIPLIST,
} from '../constants.js';
import { ListpackBuilder } from '../packed/listpack-builder.js';
import { ZiplistBuilder } from '../packed/ziplist-builder.js';
import type { RdbTarget } from '../writer-target.js';
import { CountedValue } from './counted.js';
import { ItemStore } from './item-store.js';
import type { ValueStart } from './key-record.js';
import type { RdbOutput } from './output.js';

const ZIPLIST_ENTRIES_MAX = 512;
const ZIPLIST_ELEMENT_MAX = 64;
/** Bytes of a node, and at most what an entry takes beside its text. */
const NODE_BYTES_MAX = 8192;
const ENTRY_OVERHEAD = 11;
/**
 * Nodes are smaller than the elements they hold, but their number stands in front of them. A list of known length that
 * is larger than this goes out element by element instead.
 */
const HELD_LIST_MAX = 32 << 20;

/** Lists: a ziplist or nodes of packed elements, or a plain list of elements. */
export class ListEncoder {
  private readonly store = new ItemStore();
  private readonly plainValue: CountedValue;
  private readonly nodes: NodeWriter;
  private declared = -1;
  private count = 0;
  private longest = 0;
  private plain: RdbOutput | null = null;

  constructor(
    private readonly into: ValueStart,
    private readonly target: RdbTarget,
    compress: boolean,
  ) {
    this.plainValue = new CountedValue(into, compress);
    this.nodes = new NodeWriter(into, target, compress);
  }

  /** `count` -1: unknown. */
  begin(count: number): void {
    this.declared = count;
    this.count = 0;
    this.longest = 0;
    this.plain = null;
    this.store.reset();
    if (this.gathersNodes()) this.nodes.begin();
  }

  /** Nodes are built as elements come when there is no way to do without them. */
  private gathersNodes(): boolean {
    return this.declared < 0 && this.target.list !== 'ziplist';
  }

  element(value: ByteSlice): void {
    const { bytes, start, end } = value;
    this.count++;
    if (this.plain !== null) {
      this.plain.text(bytes, start, end);
    } else if (this.gathersNodes()) {
      this.nodes.add(bytes, start, end);
    } else {
      this.store.add(bytes, start, end);
      this.longest = Math.max(this.longest, end - start);
      if (!this.packable()) this.spill();
    }
  }

  private packable(): boolean {
    if (this.target.list !== 'ziplist') return this.store.size <= HELD_LIST_MAX;
    return Math.max(this.count, this.declared) <= ZIPLIST_ENTRIES_MAX && this.longest <= ZIPLIST_ELEMENT_MAX;
  }

  private spill(): void {
    const { store } = this;
    const output = this.plainValue.open(TYPE_LIST, this.declared);
    for (let i = 0; i < store.count; i++) output.text(store.bytes, store.start(i), store.end(i));
    store.reset();
    this.plain = output;
  }

  /** False when there was no element: nothing is written. */
  finish(): boolean {
    if (this.count === 0) return false;
    if (this.plain !== null) this.plainValue.close(this.count);
    else if (this.gathersNodes()) this.nodes.finish();
    else if (this.target.list === 'ziplist') this.packZiplist();
    else this.packNodes();
    return true;
  }

  private packNodes(): void {
    const { store, nodes } = this;
    nodes.begin();
    for (let i = 0; i < store.count; i++) nodes.add(store.bytes, store.start(i), store.end(i));
    nodes.finish();
  }

  private packZiplist(): void {
    const { store } = this;
    const builder = new ZiplistBuilder(!this.target.narrowIntegers);
    for (let i = 0; i < store.count; i++) builder.append(store.bytes, store.start(i), store.end(i));
    const packed = builder.finish();
    this.into.open(TYPE_LIST_ZIPLIST).text(packed, 0, packed.length);
  }
}

/** The nodes of a quicklist, gathered in memory. */
class NodeWriter {
  private readonly value: CountedValue;
  private readonly tagged: boolean;
  private readonly builder: ListpackBuilder | ZiplistBuilder;
  private output: RdbOutput;
  private count = 0;

  constructor(into: ValueStart, target: RdbTarget, compress: boolean) {
    this.value = new CountedValue(into, compress);
    this.output = into.output;
    this.tagged = target.list === 'quicklist-2';
    this.builder = this.tagged ? new ListpackBuilder() : new ZiplistBuilder(!target.narrowIntegers);
  }

  begin(): void {
    this.count = 0;
    this.builder.reset();
    this.output = this.value.open(this.tagged ? TYPE_LIST_QUICKLIST_2 : TYPE_LIST_QUICKLIST, -1);
  }

  add(bytes: Buffer, start: number, end: number): void {
    const { builder } = this;
    const length = end - start;
    if (builder.size + length + ENTRY_OVERHEAD > NODE_BYTES_MAX) this.closeNode();
    if (this.tagged && length > NODE_BYTES_MAX) {
      this.output.length(NODE_PLAIN);
      this.output.text(bytes, start, end);
      this.count++;
    } else {
      builder.append(bytes, start, end);
    }
  }

  private closeNode(): void {
    const { builder } = this;
    if (builder.count === 0) return;
    if (this.tagged) this.output.length(NODE_PACKED);
    const packed = builder.finish();
    this.output.text(packed, 0, packed.length);
    this.count++;
    builder.reset();
  }

  finish(): void {
    this.closeNode();
    this.value.close(this.count);
  }
}
