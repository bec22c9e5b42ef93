import { describe, expect, test } from 'vitest';
import type { ByteSlice } from '../../src/bytes/slice.js';
import { VECTOR_SET_OBJECT } from '../../src/keyspace/forms.js';
import { APPLIED, FAILED, UNKNOWN } from '../../src/keyspace/outcome.js';
import type { VectorSet } from '../../src/keyspace/vectorset/value.js';
import { Walk } from '../../src/keyspace/walk.js';
import { ELEMENTS, ITEMS, ItemSink, type PackedVector } from '../../src/model/handler.js';
import type { KeyRecord, RedisValue } from '../../src/model/value.js';
import { ValueCollector } from '../../src/model/value-collector.js';
import { VectorSetReader } from '../../src/rdb/vector-set-reader.js';
import { CommandSpans } from '../../src/resp/command.js';
import { seeds } from '../support/effort.js';
import { Random } from '../support/random.js';
import { alike, same } from '../support/same.js';
import { answerAlike, digestOf, dumpsOf } from './answers.js';
import { EngineDriver } from './engine-driver.js';

const FOOTER_BYTES = 10;

/** Bytes of a set as they would stand in an RDB, and its elements as text. */
class Told extends ItemSink {
  readonly fragments: Buffer[] = [];
  readonly elements = new Map<string, string>();

  override raw(fragment: ByteSlice): void {
    this.fragments.push(fragment.copy());
  }

  override vector(element: ByteSlice, attributes: ByteSlice, { blob, range, norm }: PackedVector): void {
    this.elements.set(element.latin1(), `${attributes.latin1()}|${blob.latin1()}|${range}|${norm}`);
  }
}

function setOf(driver: EngineDriver, key: string): VectorSet {
  const { db } = driver.engine;
  const entry = driver.engine.find(CommandSpans.of(key), 0);
  expect(db.formAt(entry)).toBe(VECTOR_SET_OBJECT);
  return db.objectAt(entry) as VectorSet;
}

function told(driver: EngineDriver, key: string): { bytes: Buffer; elements: Map<string, string> } {
  const sink = new Told();
  setOf(driver, key).tell(ITEMS, sink);
  return { bytes: Buffer.concat(sink.fragments), elements: sink.elements };
}

interface Node {
  readonly name: string;
  readonly levels: readonly (readonly number[])[];
  readonly vector: readonly number[];
}

/** The graph, held to what a server demands of it when it loads one. */
function graphOf(bytes: Buffer): Map<number, Node> {
  const reader = new VectorSetReader(bytes);
  const nodes = new Map<number, Node>();
  for (let i = 0; i < reader.elements; i++) {
    reader.next();
    expect(reader.levels.length).toBeGreaterThan(0);
    expect(nodes.has(reader.id) || reader.id === 0).toBe(false);
    const { blob, range } = reader;
    const unit = reader.quantization === 1 ? range / 127 : 1;
    const vector =
      reader.quantization === 1
        ? Array.from({ length: blob.length }, (_, k) => blob.bytes.readInt8(blob.start + k) * unit)
        : Array.from({ length: blob.length / 4 }, (_, k) => blob.bytes.readFloatLE(blob.start + k * 4));
    nodes.set(reader.id, { name: reader.element.latin1(), levels: reader.levels, vector });
  }
  for (const [id, { levels }] of nodes) {
    levels.forEach((ids, level) => {
      alike(
        [...new Set(ids)].sort((a, b) => a - b),
        ids,
      );
      for (const linked of ids) same(linked !== id && nodes.get(linked)?.levels[level]?.includes(id), true);
      expect(ids.length).toBeLessThan(3 * 2 * 16);
    });
  }
  return nodes;
}

function reachable(nodes: ReadonlyMap<number, Node>): number {
  const [first] = nodes.keys();
  const reached = new Set([first!]);
  for (const id of reached) for (const linked of nodes.get(id)!.levels[0]!) reached.add(linked);
  return reached.size;
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  1 - a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Of the ten elements nearest to a vector, how many a search finds that has fifty in sight, as servers search. */
function recall(nodes: ReadonlyMap<number, Node>, query: readonly number[]): number {
  const far = (id: number): number => distance(nodes.get(id)!.vector, query);
  let [at] = [...nodes].reduce((a, b) => (b[1].levels.length > a[1].levels.length ? b : a));
  for (let level = nodes.get(at)!.levels.length - 1; level > 0; level--) {
    for (let moved = true; moved; ) {
      moved = false;
      for (const linked of nodes.get(at)!.levels[level]!)
        if (far(linked) < far(at)) [at, moved] = [linked, true];
    }
  }
  let sight = [at];
  const followed = new Set<number>();
  for (let next: number | undefined = at; next !== undefined; next = sight.find((id) => !followed.has(id))) {
    followed.add(next);
    sight = [...new Set([...sight, ...nodes.get(next)!.levels[0]!])]
      .sort((a, b) => far(a) - far(b))
      .slice(0, 50);
  }
  const nearest = [...nodes.keys()].sort((a, b) => far(a) - far(b)).slice(0, 10);
  return nearest.filter((id) => sight.includes(id)).length;
}

function vectorOf(random: Random, dimensions: number): string[] {
  return Array.from({ length: dimensions }, () => String(random.between(-1000, 1000) / 128));
}

test('a server of 8.8 refuses the same, and has the same digests', () => {
  expect(answerAlike('redis-8.8dev-vector-sets.json.gz')).toMatchObject({
    commands: 701,
    refused: 173,
    digests: 11,
  });
});

describe.each(seeds('vectors'))('seed %i', (seed) => {
  const random = new Random(seed);
  const driver = new EngineDriver();
  const options = random.once(2) ? ['NOQUANT'] : ['Q8', 'M', '8'];
  const add = (name: string): void => {
    expect(driver.run('VADD', 'v', 'VALUES', '8', ...vectorOf(random, 8), name, ...options)).toBe(APPLIED);
  };

  test('a set becomes a graph that servers load, and that finds what is near', () => {
    for (let i = 0; i < 300; i++) add(`e${i}`);
    const { bytes, elements } = told(driver, 'v');
    const nodes = graphOf(bytes);
    expect([...nodes.values()].map(({ name }) => name).sort()).toEqual([...elements.keys()].sort());
    expect(reachable(nodes)).toBe(300);
    let found = 0;
    for (let i = 0; i < 10; i++)
      found += recall(
        nodes,
        vectorOf(random, 8).map((text) => Number(text) / 10),
      );
    expect(found).toBeGreaterThan(90);
  });

  test('one that was loaded stays as it is until it changes, and then keeps its links', () => {
    const before = told(driver, 'v');
    const digest = digestOf(driver.engine.keyspace);
    const payload = dumpsOf(driver.engine.keyspace).get('v')!;
    expect(payload.subarray(1, -FOOTER_BYTES).equals(before.bytes)).toBe(true);
    expect(driver.run('RESTORE', 'v', '0', payload, 'REPLACE')).toBe(APPLIED);
    expect(driver.run('VREM v nobody')).toBe(APPLIED);
    expect(told(driver, 'v').bytes.equals(before.bytes)).toBe(true);
    expect(digestOf(driver.engine.keyspace)).toBe(digest);
    for (let i = 0; i < 60; i++) driver.run('VREM', 'v', `e${i * 5}`);
    for (let i = 300; i < 320; i++) add(`e${i}`);
    add('e1');
    expect(driver.run('VSETATTR v e2 {"a":1}')).toBe(APPLIED);
    const after = told(driver, 'v');
    const nodes = graphOf(after.bytes);
    expect(reachable(nodes)).toBe(260);
    expect(after.elements.size).toBe(260);
    expect(after.elements.get('e2')).toBe(`{"a":1}${before.elements.get('e2')}`);
    expect(after.elements.get('e1')).not.toBe(before.elements.get('e1'));
    for (const name of ['e3', 'e299']) expect(after.elements.get(name)).toBe(before.elements.get(name));
    const linksOf = (graph: ReadonlyMap<number, Node>, name: string): string[] => {
      const node = [...graph.values()].find((one) => one.name === name)!;
      return node.levels[0]!.map((id) => graph.get(id)!.name);
    };
    const old = graphOf(before.bytes);
    const kept = linksOf(old, 'e3').filter((name) => linksOf(nodes, 'e3').includes(name));
    expect(kept.length).toBeGreaterThan(linksOf(old, 'e3').length / 2);
  });
});

test('all elements the same, or none of them anywhere, are linked like others', () => {
  const driver = new EngineDriver();
  const blob = Buffer.alloc(12);
  blob.writeFloatLE(Number.NaN, 4);
  for (let i = 0; i < 120; i++) {
    expect(driver.run('VADD', 'same', 'VALUES', '3', '1', '2', '3', `${i}`)).toBe(APPLIED);
    expect(driver.run('VADD', 'zero', 'VALUES', '3', '0', '0', '0', `${i}`)).toBe(APPLIED);
    expect(driver.run('VADD', 'none', 'FP32', blob, `${i}`, 'NOQUANT')).toBe(APPLIED);
    expect(driver.run('VADD', 'bits', 'FP32', blob, `${i}`, 'BIN')).toBe(APPLIED);
  }
  for (const key of ['same', 'zero', 'none']) expect(reachable(graphOf(told(driver, key).bytes))).toBe(120);
  expect(told(driver, 'bits').elements.size).toBe(120);
});

test('a graph that makes no sense is left behind', () => {
  const driver = new EngineDriver();
  for (let i = 0; i < 5; i++) driver.run('VADD', 'v', 'VALUES', '2', `${i}`, '1', `e${i}`);
  const payload = dumpsOf(driver.engine.keyspace).get('v')!;
  let tried = 0;
  // Each node is linked with each other: turn ids, numbers of links and levels into something else.
  for (let at = 40; at < payload.length - FOOTER_BYTES; at += 2) {
    const changed = Buffer.from(payload);
    changed[at]! ^= 0x07;
    changed.fill(0, changed.length - 8);
    if (driver.run('RESTORE', 'w', '0', changed, 'REPLACE') !== APPLIED) continue;
    if (driver.run('VADD w VALUES 2 9 9 new') !== APPLIED) continue;
    tried++;
    expect(reachable(graphOf(told(driver, 'w').bytes))).toBe(told(driver, 'w').elements.size);
  }
  expect(tried).toBeGreaterThan(30);
});

test('whoever looks at the elements alone gets no bytes', () => {
  const driver = new EngineDriver();
  driver.run('VADD v VALUES 2 1 2 e SETATTR {}');
  driver.run('VADD v VALUES 2 1 3 f');
  const records: KeyRecord[] = [];
  for (const depth of [ITEMS, ELEMENTS] as const) {
    new Walk(
      driver.engine.keyspace,
      new ValueCollector((record) => records.push(record), undefined, depth),
    ).run();
  }
  const [whole, elements] = records.map(({ value }) => value as Extract<RedisValue, { kind: 'module' }>);
  expect(whole!.raw.equals(told(driver, 'v').bytes)).toBe(true);
  expect(elements!.raw.length).toBe(0);
  expect(elements!.vectorSet).toEqual(whole!.vectorSet);
  expect(elements!.vectorSet!.vectors.map(({ element }) => element.toString())).toEqual(['e', 'f']);
});

test('a copy of the value goes its own way', () => {
  const driver = new EngineDriver();
  for (let i = 0; i < 50; i++)
    driver.run('VADD', 'v', 'VALUES', '2', `${i}`, '1', `e${i}`, 'SETATTR', `${i}`);
  const before = told(driver, 'v');
  const copy = setOf(driver, 'v').clone();
  driver.run('VREM v e7');
  driver.run('VADD v VALUES 2 5 5 e8');
  const sink = new Told();
  copy.tell(ITEMS, sink);
  expect(sink.elements).toEqual(before.elements);
  expect(driver.run('COPY v w')).toBe(FAILED);
  expect(driver.engine.lastError).toBe('ERR not supported for this module key');
});

test.each([
  ['VADD v VALUES 9223372036854775807 1 e', FAILED, 'ERR invalid vector specification'],
  ['VADD v VALUES 65537 1 e', FAILED, 'ERR invalid vector specification'],
  ['VADD v REDUCE 9223372036854775807 VALUES 1 1 e', FAILED, 'ERR invalid vector specification'],
  ['VADD v VALUES 1 nan e', FAILED, 'ERR invalid vector specification'],
])('%s is refused unread', (command, outcome, message) => {
  const driver = new EngineDriver();
  expect(driver.run(command)).toBe(outcome);
  expect(driver.engine.lastError).toBe(message);
  expect(driver.engine.db.size).toBe(0);
});

test('a matrix of gigabytes is not made', () => {
  const driver = new EngineDriver();
  expect(driver.run('VADD', 'v', 'REDUCE', '65536', 'FP32', Buffer.alloc(65536 * 4), 'e')).toBe(UNKNOWN);
  expect(driver.engine.lastError).toBe('ERR a matrix of that size to reduce vectors is not held here');
});
