import type { ByteSlice } from '../bytes/slice.js';
import { assert } from '../errors.js';
import { Cursor, SHORT } from './cursor.js';
import { MODULE_ID_BYTES } from './module-id.js';
import { TextReader } from './text.js';

/** Bit of the flags: a matrix projects vectors to fewer numbers. */
export const HAS_PROJECTION = 1;
/** Bit of the flags: every element is followed by its attributes, empty for none. */
export const HAS_ATTRIBUTES = 2;
/** Where the version of a node stands in the field beside its level; from 1 on it tells the farthest link of each level. */
const NODE_VERSION_SHIFT = 24;

/**
 * Reads a vector set once more that was held as the bytes it had in an RDB, and was decoded then: head, then with
 * `next` one element after the other. What the graph says was not looked at before, and may be nonsense.
 */
export class VectorSetReader {
  readonly dimensions: number;
  readonly elements: number;
  /** 0: numbers of four bytes, 1: of one, 2: of one bit. */
  readonly quantization: number;
  /** 0: as many as servers took before it was said. */
  readonly links: number;
  readonly projectedFrom: number = 0;
  /** Rows of the matrix that projects, little-endian floats; null for none. */
  readonly matrix: Buffer | null = null;
  // The element at hand; texts are valid until the next.
  element: ByteSlice;
  /** Empty: none. */
  attributes: ByteSlice;
  blob: ByteSlice;
  range = 0;
  norm = 0;
  /** Rounded above 2^53. */
  id = 0;
  /** Ids of linked nodes, by level. Empty when the node says nothing that makes sense. */
  levels: number[][] = [];

  private readonly cursor = new Cursor();
  private readonly hasAttributes: boolean;
  private readonly elementText: TextReader;
  private readonly attributeText: TextReader;
  private readonly blobText: TextReader;
  private readonly words = Buffer.alloc(8);
  private readonly parameters: number[] = [];

  constructor(bytes: Buffer) {
    const { cursor } = this;
    cursor.bytes = bytes;
    cursor.end = cursor.limit = bytes.length;
    cursor.position = MODULE_ID_BYTES;
    this.elementText = new TextReader(bytes.length * EXPANSION);
    this.attributeText = new TextReader(bytes.length * EXPANSION);
    this.blobText = new TextReader(bytes.length * EXPANSION);
    this.element = this.elementText.slice;
    this.attributes = this.attributeText.slice;
    this.blob = this.blobText.slice;
    this.dimensions = this.number();
    this.elements = this.number();
    const settings = this.number();
    this.quantization = settings % 256;
    this.links = Math.floor(settings / 256) % 65536;
    const flags = this.number();
    this.hasAttributes = (flags & HAS_ATTRIBUTES) !== 0;
    if ((flags & HAS_PROJECTION) === 0) return;
    this.projectedFrom = this.number();
    this.text(this.blobText);
    this.matrix = this.blob.copy();
  }

  /** Goes to the next element; there must be one. */
  next(): void {
    this.text(this.elementText);
    if (this.hasAttributes) this.text(this.attributeText);
    this.text(this.blobText);
    const count = this.number();
    const { parameters, words } = this;
    parameters.length = 0;
    for (let i = 0; i < count; i++) parameters.push(this.number());
    this.cursor.words(words);
    this.range = words.readFloatBE(0);
    this.norm = words.readFloatBE(4);
    this.id = parameters[0]!;
    this.levels = linksOf(parameters);
  }

  private number(): number {
    const { cursor } = this;
    const at = cursor.length(cursor.length(cursor.position));
    assert(at !== SHORT, 'a vector set that was kept is whole');
    cursor.position = at;
    return cursor.value;
  }

  private text(reader: TextReader): void {
    const { cursor } = this;
    const at = reader.read(cursor, cursor.length(cursor.position));
    assert(at !== SHORT, 'a vector set that was kept is whole');
    cursor.position = at;
  }
}

/** More than any compressed text grows by. */
const EXPANSION = 4096;

function linksOf(parameters: readonly number[]): number[][] {
  const settings = parameters[1]!;
  const worst = settings >>> NODE_VERSION_SHIFT > 0 ? 1 : 0;
  const end = parameters.length - 1;
  const levels: number[][] = [];
  let at = 2;
  for (let level = settings & 0xff; level >= 0; level--) {
    const count = parameters[at]!;
    if (at + 2 > end || count > end - at - 2 - worst) return [];
    levels.push(parameters.slice(at + 2, at + 2 + count));
    at += 2 + count + worst;
  }
  return levels;
}
