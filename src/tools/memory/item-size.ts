import type { Long } from '../../bytes/int64.js';
import type { ByteSlice } from '../../bytes/slice.js';
import { INT64_TEXT_MAX, Int64Words, parseInt64 } from '../../kernels/decimal.js';
import {
  type CronTimes,
  type Depth,
  ITEMS,
  ItemSink,
  type KeyHead,
  type PackedVector,
  type StreamMeta,
} from '../../model/handler.js';
import type { StreamId } from '../../model/stream-id.js';
import {
  allocated,
  dictBytes,
  EMBEDDED_MAX,
  INTSET,
  keyBytes,
  LISTPACK_HEAD,
  listpackNumber,
  listpackText,
  OBJECT,
  packedBytes,
  QUICKLIST,
  SKIPLIST,
  SKIPLIST_NODE,
  stringBytes,
  stringValueBytes,
} from './allocation.js';
import type { KeySize, KeySizeListener } from './key-size.js';
import { linkedBytes } from './record-size.js';
import { StreamSize } from './stream-size.js';

/** Up to here the servers hold a collection packed, by their default settings. */
const HASH_ENTRIES_MAX = 512;
const INTSET_ENTRIES_MAX = 512;
const ENTRIES_MAX = 128;
const ELEMENT_BYTES_MAX = 64;
/** A server begins another node of a stream after so many entries or bytes. */
const STREAM_NODE_ENTRIES = 100;
const STREAM_NODE_BYTES = 4096;
/** What an entry of a stream takes in its node beside its fields. */
const STREAM_ENTRY_BYTES = 10;

/** Estimates what keys take in a server from what is told of their values, where there is no RDB to see it from. */
export class ItemSize extends ItemSink implements KeySize {
  fileBytes = 0;
  memoryBytes = 0;
  elements = 0;
  encoding = '';
  /** The server knows packed sets. */
  packsSets = true;
  /** What the items take packed, each by itself, and as such. */
  private packed = 0;
  private loose = 0;
  private plain = 0;
  private longest = 0;
  private numbersOnly = true;
  private numberBytes = 2;
  private whole = 0;
  private entryFields = 0;
  private fieldsExpire = false;
  private readonly stream = new StreamSize();
  private readonly words = new Int64Words();

  constructor(private readonly listener: KeySizeListener) {
    super();
  }

  override key(head: KeyHead): Depth {
    this.encoding = head.encoding;
    this.elements = this.packed = this.loose = this.plain = this.longest = this.whole = 0;
    this.numbersOnly = true;
    this.numberBytes = 2;
    this.fieldsExpire = false;
    if (head.kind === 'stream') this.stream.begin();
    return ITEMS;
  }

  override raw(fragment: ByteSlice): void {
    this.plain += fragment.length;
  }

  override text(value: ByteSlice): void {
    const isNumber = this.isNumber(value);
    this.whole = stringValueBytes(value.length, isNumber);
    this.encoding = isNumber ? 'int' : value.length <= EMBEDDED_MAX ? 'embstr' : 'raw';
  }

  override element(value: ByteSlice): void {
    this.elements++;
    this.item(value);
  }

  override field(name: ByteSlice, value: ByteSlice, expiresAtMs: number): void {
    this.elements++;
    this.item(name);
    this.item(value);
    if (expiresAtMs >= 0) this.fieldsExpire = true;
  }

  override member(value: ByteSlice, score: number): void {
    this.elements++;
    this.item(value);
    this.packed += Number.isInteger(score) ? listpackNumber(score) : listpackText(String(score).length);
  }

  override streamEntry(_id: StreamId, fieldCount: number): void {
    this.elements++;
    this.packed += STREAM_ENTRY_BYTES;
    this.entryFields = fieldCount;
  }

  override streamField(name: ByteSlice, value: ByteSlice): void {
    // Entries of a node whose fields have the names of its first do not repeat them.
    if (this.elements % STREAM_NODE_ENTRIES === 1 || this.entryFields === 0) this.item(name);
    this.item(value);
  }

  override streamMeta(_meta: StreamMeta): void {
    const nodes = Math.max(
      Math.ceil(this.elements / STREAM_NODE_ENTRIES),
      Math.ceil(this.packed / STREAM_NODE_BYTES),
    );
    this.stream.nodes(nodes, nodes * allocated(this.packed / Math.max(1, nodes)));
  }

  override streamGroup(): void {
    this.stream.group(0);
  }

  override streamPending(): void {
    this.stream.pending();
  }

  override streamConsumer(name: ByteSlice): void {
    this.stream.consumer(name.length, 0);
  }

  override arrayElement(_index: Long, value: ByteSlice): void {
    this.elements++;
    this.item(value);
  }

  override cron(script: ByteSlice, _times: CronTimes): void {
    this.loose += stringBytes(script.length);
  }

  override vector(element: ByteSlice, attributes: ByteSlice, _vector: PackedVector): void {
    this.elements++;
    this.loose += stringBytes(element.length) + stringBytes(attributes.length);
  }

  override keyEnd(head: KeyHead): void {
    this.memoryBytes = Math.round(keyBytes(head.key.length) + this.valueBytes(head));
    this.elements = Math.max(this.elements, head.kind === 'string' || this.plain > 0 ? 1 : 0);
    this.listener.key(head, this);
  }

  private valueBytes(head: KeyHead): number {
    const { kind } = head;
    const { elements, longest } = this;
    const isShort = longest <= ELEMENT_BYTES_MAX;
    switch (kind) {
      case 'string':
        return this.whole;
      case 'list':
        this.encoding = 'quicklist';
        return OBJECT + QUICKLIST + linkedBytes(this.packed + LISTPACK_HEAD);
      case 'set':
        if (this.numbersOnly && elements <= INTSET_ENTRIES_MAX) {
          this.encoding = 'intset';
          return OBJECT + allocated(INTSET + this.numberBytes * elements);
        }
        return this.collection(this.packsSet(head, isShort), 'listpack', 'hashtable');
      case 'hash':
        return this.collection(
          elements <= HASH_ENTRIES_MAX && isShort,
          this.fieldsExpire ? 'listpackex' : 'listpack',
          'hashtable',
        );
      case 'zset':
        return (
          this.collection(elements <= ENTRIES_MAX && isShort, 'listpack', 'skiplist') +
          (this.encoding === 'skiplist' ? SKIPLIST + SKIPLIST_NODE * elements : 0)
        );
      case 'stream':
        return this.stream.end();
      default:
        return OBJECT + allocated(Math.max(this.plain, this.loose));
    }
  }

  /** Redis from 7.2 on and Valkey hold small sets packed; of an RDB it is known whether its set was. */
  private packsSet({ typeId, encoding }: KeyHead, isShort: boolean): boolean {
    if (typeId >= 0) return encoding === 'listpack';
    return this.packsSets && isShort && this.elements <= ENTRIES_MAX;
  }

  private collection(isPacked: boolean, packed: string, table: string): number {
    this.encoding = isPacked ? packed : table;
    if (isPacked) return packedBytes(this.packed + LISTPACK_HEAD);
    return OBJECT + dictBytes(this.elements) + this.loose;
  }

  private item(value: ByteSlice): void {
    const { length } = value;
    if (length > this.longest) this.longest = length;
    this.loose += stringBytes(length);
    if (!this.isNumber(value)) {
      this.numbersOnly = false;
      this.packed += listpackText(length);
      return;
    }
    const { high, low } = this.words;
    const number = (high | 0) * 4294967296 + low;
    this.packed += listpackNumber(number);
    const bytes = number >= -32_768 && number < 32_768 ? 2 : (low | 0) === number ? 4 : 8;
    if (bytes > this.numberBytes) this.numberBytes = bytes;
  }

  private isNumber({ bytes, start, end }: ByteSlice): boolean {
    return end > start && end - start <= INT64_TEXT_MAX && parseInt64(bytes, start, end, this.words);
  }
}
