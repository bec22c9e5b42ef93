import type { ByteSlice } from '../../bytes/slice.js';
import { LENGTH_64, MODULE_END, MODULE_STRING, MODULE_UINT } from '../constants.js';
import { HAS_ATTRIBUTES, HAS_PROJECTION } from '../vector-set-reader.js';
import { RdbOutput } from './output.js';

/** The id of the module type `vectorset`, its encoding 0. */
const VECTOR_SET_ID = Buffer.from([LENGTH_64, 0xbd, 0xe7, 0x2d, 0xa2, 0xbb, 0x1e, 0xb4, 0x00]);

/** What a vector set says up front. */
export interface VectorSetHead {
  readonly dimensions: number;
  readonly elements: number;
  /** 0: numbers of four bytes, 1: of one, 2: of one bit. */
  readonly quantization: number;
  readonly links: number;
  readonly projectedFrom: number;
  /** Rows of the matrix that projects, little-endian floats; null for none. */
  readonly matrix: Buffer | null;
  readonly hasAttributes: boolean;
}

/** An element's place in the graph. */
export interface NodeRecord {
  /** Not 0. */
  readonly id: number;
  /** From the lowest on. */
  readonly levels: readonly {
    /** Of linked nodes. */
    readonly ids: readonly number[];
    /** How many there may be. */
    readonly capacity: number;
  }[];
}

/** Id, level, and what stands behind the levels. */
const PARAMETERS_OF_NODE = 3;
/** How many links there are and may be. */
const PARAMETERS_OF_LEVEL = 2;

/** Writes a vector set as it stands in an RDB behind the type number, and tells it in fragments. */
export class VectorSetWriter {
  private readonly output: RdbOutput;
  private readonly floats = Buffer.alloc(8);

  /** `emit` gets borrowed bytes, in order. */
  constructor(
    emit: (bytes: Buffer) => void,
    private readonly head: VectorSetHead,
  ) {
    this.output = new RdbOutput(emit, false);
    const { matrix, projectedFrom } = head;
    this.output.raw(VECTOR_SET_ID, 0, VECTOR_SET_ID.length);
    this.number(head.dimensions);
    this.number(head.elements);
    this.number(head.quantization + head.links * 256);
    this.number((matrix === null ? 0 : HAS_PROJECTION) | (head.hasAttributes ? HAS_ATTRIBUTES : 0));
    if (matrix === null) return;
    this.number(projectedFrom);
    this.text(matrix, 0, matrix.length);
  }

  /** Starts an element: its vector as it is held. */
  element(name: Buffer, attributes: Buffer, { bytes, start, end }: ByteSlice): void {
    this.text(name, 0, name.length);
    if (this.head.hasAttributes) this.text(attributes, 0, attributes.length);
    this.text(bytes, start, end);
  }

  /**
   * Goes on with its place in the graph, and ends the element. In the first version of a node, which all servers load: the
   * next one, with the farthest link of each level, is taken for an absurd level by those that do not know it.
   */
  node({ id, levels }: NodeRecord, range: number, norm: number): void {
    const { floats } = this;
    this.number(levels.reduce((sum, { ids }) => sum + ids.length + PARAMETERS_OF_LEVEL, PARAMETERS_OF_NODE));
    this.number(id);
    this.number(levels.length - 1);
    for (const { ids, capacity } of levels) {
      this.number(ids.length);
      this.number(capacity);
      for (const linked of ids) this.number(linked);
    }
    floats.writeFloatBE(range, 0);
    floats.writeFloatBE(norm, 4);
    this.words();
  }

  /** A number of 64 bits: the two words in `floats`. */
  private words(): void {
    const { floats, output } = this;
    output.length(MODULE_UINT);
    output.lengthWords(floats.readUInt32BE(0), floats.readUInt32BE(4));
  }

  private number(value: number): void {
    this.output.length(MODULE_UINT);
    this.output.length(value);
  }

  private text(bytes: Buffer, start: number, end: number): void {
    this.output.length(MODULE_STRING);
    this.output.text(bytes, start, end);
  }

  finish(): void {
    this.output.length(MODULE_END);
    this.output.flush();
  }
}
