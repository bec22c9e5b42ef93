import { parseDouble } from '../../kernels/doubles.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { TEXT, VECTOR_SET_OBJECT } from '../forms.js';
import { longAt } from '../integers.js';
import { APPLIED, type Outcome, UNKNOWN } from '../outcome.js';
import { projectionMatrix } from '../vectorset/quantize.js';
import { BINARY, FP32, Q8, type VectorSetShape } from '../vectorset/rows.js';
import { VectorSet } from '../vectorset/value.js';
import type { CommandRow } from './row.js';

/** Commands on vector sets, of Redis 8.0. */
export const vectorSetCommands: readonly CommandRow[] = [
  { name: 'VADD', arity: -5, apply: add },
  { name: 'VREM', arity: 3, apply: remove },
  { name: 'VSETATTR', arity: 4, apply: setAttributes },
];

/** The limits of the servers. */
const DIMENSIONS_MAX = 65536;
const LINKS_MIN = 4;
const LINKS_MAX = 4096;
const LINKS = 16;
const EFFORT_MAX = 1_000_000;
/** A server takes a larger matrix, too, and 16 GiB at most. */
const MATRIX_BYTES_MAX = 2 ** 29;

/** What VADD was given. */
interface Addition {
  vector: Float32Array;
  /** Numbers to reduce the vector to; 0: none asked for. */
  reduced: number;
  /** The argument with the element. */
  elementAt: number;
  quantization: number;
  links: number;
  /** The argument with the attributes; -1 for none. */
  attributesAt: number;
}

/** VADD key [REDUCE dim] FP32 blob | VALUES count number … element [CAS] [NOQUANT | Q8 | BIN] [EF n] [SETATTR text] [M n] */
function add(engine: Engine, command: CommandSpans): Outcome {
  const addition = readVector(command);
  if (addition === null) return engine.fail('ERR invalid vector specification');
  if (addition.elementAt >= command.argc) return engine.wrongArity('vadd');
  const problem = readOptions(command, addition);
  if (problem !== '') return engine.fail(problem);
  const { db } = engine;
  const there = engine.find(command, 1);
  if (there >= 0) {
    const set = vectorSetAt(engine, there);
    if (set === null) return engine.wrongType();
    const mismatch = mismatchOf(set.shape, addition);
    if (mismatch !== '') return engine.fail(mismatch);
    insert(set, command, addition);
    return APPLIED;
  }
  const shape = shapeFor(addition);
  if (shape === null) {
    engine.lastError = 'ERR a matrix of that size to reduce vectors is not held here';
    return UNKNOWN;
  }
  const set = VectorSet.empty(shape);
  insert(set, command, addition);
  const entry = db.create(command.bytes, command.starts[1]!, command.ends[1]!, TEXT);
  db.setObject(entry, VECTOR_SET_OBJECT, set);
  return APPLIED;
}

function vectorSetAt(engine: Engine, entry: number): VectorSet | null {
  const { db } = engine;
  return db.formAt(entry) === VECTOR_SET_OBJECT ? (db.objectAt(entry) as VectorSet) : null;
}

/** Null for what is no vector. */
function readVector(command: CommandSpans): Addition | null {
  let at = 2;
  let reduced = 0;
  if (command.is(2, 'REDUCE')) {
    const asked = longAt(command, 3);
    if (asked === null || asked <= 0) return null;
    reduced = Number(BigInt.asUintN(32, BigInt(asked)));
    at = 4;
  }
  if (at + 1 >= command.argc) return null;
  const vector = command.is(at, 'FP32')
    ? readFloats(command, at + 1)
    : command.is(at, 'VALUES')
      ? readValues(command, at + 1)
      : null;
  if (vector === null || reduced > vector.length) return null;
  const elementAt = command.is(at, 'FP32') ? at + 2 : at + 2 + vector.length;
  return { vector, reduced, elementAt, quantization: Q8, links: LINKS, attributesAt: -1 };
}

function readFloats(command: CommandSpans, i: number): Float32Array | null {
  const size = command.size(i);
  if (size % 4 !== 0 || size < 4 || size / 4 > DIMENSIONS_MAX) return null;
  const { bytes, starts } = command;
  // Copied as bytes: a number that is none keeps its bits.
  const vector = new Float32Array(size / 4);
  bytes.copy(new Uint8Array(vector.buffer), 0, starts[i]!, starts[i]! + size);
  return vector;
}

function readValues(command: CommandSpans, i: number): Float32Array | null {
  const count = longAt(command, i);
  if (count === null || count < 1 || count > DIMENSIONS_MAX) return null;
  const { bytes, starts, ends, argc } = command;
  if (argc < i + 1 + Number(count)) return null;
  const vector = new Float32Array(Number(count));
  for (let k = 0; k < vector.length; k++) {
    const value = parseDouble(bytes, starts[i + 1 + k]!, ends[i + 1 + k]!);
    if (Number.isNaN(value)) return null;
    vector[k] = value;
  }
  return vector;
}

/** Reads what stands behind the element. Returns why a server refuses it, or ''. */
function readOptions(command: CommandSpans, addition: Addition): string {
  for (let i = addition.elementAt + 1; i < command.argc; i++) {
    const hasValue = i + 1 < command.argc;
    if (command.is(i, 'CAS')) continue;
    if (command.is(i, 'NOQUANT')) addition.quantization = FP32;
    else if (command.is(i, 'BIN')) addition.quantization = BINARY;
    else if (command.is(i, 'Q8')) addition.quantization = Q8;
    else if (command.is(i, 'EF') && hasValue) {
      const effort = longAt(command, ++i);
      if (effort === null || effort <= 0 || effort > EFFORT_MAX) return 'ERR invalid EF';
    } else if (command.is(i, 'M') && hasValue) {
      const links = longAt(command, ++i);
      if (links === null || links < LINKS_MIN || links > LINKS_MAX) return 'ERR invalid M';
      addition.links = Number(links);
    } else if (command.is(i, 'SETATTR') && hasValue) addition.attributesAt = ++i;
    else return 'ERR invalid option after element';
  }
  return '';
}

/** Why a vector does not go into a set, or ''. */
function mismatchOf(shape: VectorSetShape, { vector, reduced, quantization, links }: Addition): string {
  const { dimensions, projectedFrom } = shape;
  if (shape.quantization !== quantization) return 'ERR asked quantization mismatch with existing vector set';
  if (shape.links !== links) return 'ERR asked M value mismatch with existing vector set';
  if ((shape.matrix === null ? vector.length : reduced) !== dimensions) {
    return `ERR Vector dimension mismatch - got ${vector.length} but set has ${dimensions}`;
  }
  if (shape.matrix === null) {
    return reduced === 0 ? '' : 'ERR cannot add projection to existing set without projection';
  }
  if (vector.length === projectedFrom) return '';
  return `ERR Input dimension mismatch for projection - got ${vector.length} but projection expects ${projectedFrom}`;
}

/** The shape of a set that starts with a vector; null for a matrix that is too large. */
function shapeFor({ vector, reduced, quantization, links }: Addition): VectorSetShape | null {
  if (reduced === 0) {
    return { dimensions: vector.length, quantization, links, projectedFrom: 0, matrix: null };
  }
  if (vector.length * reduced * 4 > MATRIX_BYTES_MAX) return null;
  const matrix = projectionMatrix(vector.length, reduced);
  return { dimensions: reduced, quantization, links, projectedFrom: vector.length, matrix };
}

function insert(set: VectorSet, command: CommandSpans, { vector, elementAt, attributesAt }: Addition): void {
  const name = command.latin1(elementAt);
  const isNew = set.find(name) < 0;
  const row = set.put(name, vector);
  if (attributesAt < 0) return;
  const text = command.latin1(attributesAt);
  // A new element keeps empty ones, as servers do.
  set.setAttributes(row, text === '' && !isNew ? null : text);
}

/** VREM key element */
function remove(engine: Engine, command: CommandSpans): Outcome {
  return change(engine, command, (set, row, entry) => {
    set.remove(row);
    if (set.size === 0) engine.db.delete(entry);
  });
}

/** VSETATTR key element text: an empty one takes the attributes away. */
function setAttributes(engine: Engine, command: CommandSpans): Outcome {
  return change(engine, command, (set, row) => set.setAttributes(row, command.latin1(3) || null));
}

/** Does something to the element in argument 2, if there is such. */
function change(
  engine: Engine,
  command: CommandSpans,
  act: (set: VectorSet, row: number, entry: number) => void,
): Outcome {
  const entry = engine.find(command, 1);
  if (entry < 0) return APPLIED;
  const set = vectorSetAt(engine, entry);
  if (set === null) return engine.wrongType();
  const row = set.find(command.latin1(2));
  if (row >= 0) act(set, row, entry);
  return APPLIED;
}
