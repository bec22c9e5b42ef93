import { ByteSlice } from '../../bytes/slice.js';
import { type Depth, ELEMENTS, type ItemHandler, RAW } from '../../model/handler.js';
import { VectorSetWriter } from '../../rdb/encode/vector-set.js';
import { ValueTeller } from '../../rdb/value-teller.js';
import { VectorSetReader } from '../../rdb/vector-set-reader.js';
import type { SideValue } from '../forms.js';
import { Graph } from './graph.js';
import { measures, packVector, project } from './quantize.js';
import { VectorRows, type VectorSetShape } from './rows.js';

const QUANTIZATIONS = ['fp32', 'q8', 'binary'] as const;
/** Links of sets that were saved before the number was. */
const LINKS_BEFORE = 16;
/** Newer servers refuse a file with a node of more. */
const LEVELS_MAX = 16;
/** Servers take a larger number for this one. */
const LINKS_MAX = 4096;

const teller = new ValueTeller();

/**
 * A vector set: as the bytes it was loaded from while nothing changes it, graph included, and else by its elements. What
 * it then becomes in an RDB has a graph of our own, in which the nodes that were loaded keep their links.
 */
export class VectorSet implements SideValue {
  /** Nodes that stand as `origin` has them, by row. */
  private kept: Uint8Array = NO_ROWS;
  private changed = false;

  private constructor(
    /** As it stood in an RDB behind the type number; null for a set that was made by commands. */
    private readonly origin: Buffer | null,
    private rows: VectorRows | null,
  ) {}

  /** The bytes must be whole, and must have been decoded before; they stay the set's own. */
  static loaded(bytes: Buffer): VectorSet {
    return new VectorSet(bytes, null);
  }

  static empty(shape: VectorSetShape): VectorSet {
    const made = new VectorSet(null, new VectorRows(shape));
    made.changed = true;
    return made;
  }

  get shape(): VectorSetShape {
    return this.opened().shape;
  }

  get size(): number {
    return this.opened().size;
  }

  /** The row of an element, or -1. */
  find(name: string): number {
    return this.opened().find(name);
  }

  /**
   * Adds an element, or gives it another vector. `vector` has as many numbers as vectors of the set are given with, and is
   * used up. Returns the element's row.
   */
  put(name: string, vector: Float32Array): number {
    const rows = this.opened();
    const { matrix, dimensions, quantization } = rows.shape;
    const there = rows.find(name);
    const row = there >= 0 ? there : rows.add(name);
    const packed = matrix === null ? vector : project(vector, matrix, dimensions);
    packVector(packed, quantization, rows.bytesOf(row), rows.startOf(row));
    rows.setMeasures(row, measures.range, measures.norm);
    this.forgetNode(row);
    return row;
  }

  /** Null takes the attributes away. */
  setAttributes(row: number, text: string | null): void {
    this.opened().setAttributes(row, text);
    this.changed = true;
  }

  remove(row: number): void {
    this.opened().remove(row);
    this.forgetNode(row);
  }

  private forgetNode(row: number): void {
    this.changed = true;
    if (row < this.kept.length) this.kept[row] = 0;
  }

  /** The elements, taken out of the bytes that were loaded when they are first asked for. */
  private opened(): VectorRows {
    if (this.rows === null) this.rows = this.read();
    return this.rows;
  }

  private read(): VectorRows {
    const reader = new VectorSetReader(this.origin!);
    const { dimensions, quantization, projectedFrom, matrix } = reader;
    const links = Math.min(reader.links === 0 ? LINKS_BEFORE : reader.links, LINKS_MAX);
    const rows = new VectorRows({ dimensions, quantization, links, projectedFrom, matrix });
    for (let i = 0; i < reader.elements; i++) {
      reader.next();
      const name = reader.element.latin1();
      const there = rows.find(name);
      const row = there >= 0 ? there : rows.add(name);
      const { bytes, start, end } = reader.blob;
      bytes.copy(rows.bytesOf(row), rows.startOf(row), start, end);
      rows.setMeasures(row, reader.range, reader.norm);
      rows.setAttributes(row, reader.attributes.length === 0 ? null : reader.attributes.latin1());
    }
    this.kept = new Uint8Array(rows.end).fill(1);
    return rows;
  }

  /** Tells the value as `depth` asks, which is not SKIP. */
  tell(depth: Depth, handler: ItemHandler): void {
    if (!this.changed) {
      teller.tell('module', this.origin!, depth, handler);
      return;
    }
    const rows = this.opened();
    if (depth !== ELEMENTS) this.write(rows, handler);
    if (depth !== RAW) tellElements(rows, handler);
  }

  private write(rows: VectorRows, handler: ItemHandler): void {
    const graph = new Graph(rows);
    if (this.origin !== null) graph.adopt(this.keptNodes(this.origin, rows));
    graph.complete();
    const slice = new ByteSlice();
    const emit = (bytes: Buffer): void => handler.raw(slice.set(bytes, 0, bytes.length));
    const { shape, size: elements, hasAttributes } = rows;
    const writer = new VectorSetWriter(emit, { ...shape, elements, hasAttributes });
    const vector = new ByteSlice();
    for (let row = 0; row < rows.end; row++) {
      if (!rows.isLive(row)) continue;
      const name = Buffer.from(rows.nameAt(row), 'latin1');
      writer.element(name, Buffer.from(rows.attributesAt(row) ?? '', 'latin1'), rows.vectorAt(row, vector));
      writer.node(graph.nodeOf(row, idOf), rows.rangeAt(row), rows.normAt(row));
    }
    writer.finish();
  }

  /** Links of the nodes that are as they were loaded, as rows. */
  private keptNodes(origin: Buffer, rows: VectorRows): Map<number, number[][]> {
    const reader = new VectorSetReader(origin);
    const rowOf = new Map<number, number>();
    const nodes = new Map<number, number[][]>();
    for (let i = 0; i < reader.elements; i++) {
      reader.next();
      const row = rows.find(reader.element.latin1());
      if (row < 0 || this.kept[row] !== 1) continue;
      if (reader.levels.length === 0 || reader.levels.length > LEVELS_MAX) continue;
      rowOf.set(reader.id, row);
      nodes.set(row, reader.levels);
    }
    const toRow = (id: number): number => rowOf.get(id) ?? NO_ROW;
    for (const levels of nodes.values()) {
      for (let level = 0; level < levels.length; level++) {
        levels[level] = levels[level]!.map(toRow).filter((row) => row !== NO_ROW);
      }
    }
    return nodes;
  }

  clone(): VectorSet {
    const copy = new VectorSet(this.origin, this.changed ? this.opened().clone() : null);
    copy.changed = this.changed;
    if (this.changed) copy.kept = this.kept.slice();
    return copy;
  }
}

const NO_ROW = -1;
const NO_ROWS = new Uint8Array(0);

/** Servers take an id of 0 for none. */
function idOf(row: number): number {
  return row + 1;
}

function tellElements(rows: VectorRows, handler: ItemHandler): void {
  const { dimensions, quantization, links, projectedFrom } = rows.shape;
  handler.vectorSet({
    dimensions,
    elements: rows.size,
    quantization: QUANTIZATIONS[quantization]!,
    links,
    projectedFrom,
  });
  const name = new ByteSlice();
  const attributes = new ByteSlice();
  const blob = new ByteSlice();
  for (let row = 0; row < rows.end; row++) {
    if (!rows.isLive(row)) continue;
    own(name, rows.nameAt(row));
    const text = rows.attributesAt(row);
    own(attributes, text ?? '');
    rows.vectorAt(row, blob);
    const emptyAttributes = text === '';
    handler.vector(name, attributes, {
      blob,
      range: rows.rangeAt(row),
      norm: rows.normAt(row),
      emptyAttributes,
    });
  }
}

function own(slice: ByteSlice, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  slice.set(bytes, 0, bytes.length);
}
