import type { NodeRecord } from '../../rdb/encode/vector-set.js';
import { Distances } from './distance.js';
import { Nearest } from './nearest.js';
import type { VectorRows } from './rows.js';

/** Rows that a search keeps in sight while a node is linked. */
const SIGHT = 128;
/** Levels above the lowest are reached by one node in four of the level below. */
const LEVEL_MAX = 15;

/**
 * A hierarchical graph over the vectors of a set, as servers search it: each node is linked with near ones on the lowest
 * level, fewer nodes on the levels above. All links go both ways. What a server left of its graph is kept where its
 * nodes are still there; the rest is linked anew. Levels of new nodes follow from their names, so the same set always
 * becomes the same bytes.
 */
export class Graph {
  /** Linked rows, by row and level; null for rows without a node. */
  readonly links: (number[][] | null)[];
  private readonly distances: Distances;
  private readonly nearest = new Nearest(SIGHT);
  private readonly seen: Uint32Array;
  private search = 0;
  /** A node of the highest level; -1 while there is none. */
  private entry = -1;

  constructor(private readonly rows: VectorRows) {
    this.links = new Array<number[][] | null>(rows.end).fill(null);
    this.distances = new Distances(rows);
    this.seen = new Uint32Array(rows.end);
  }

  /** How many links a node may have on a level. */
  capacity(level: number): number {
    const { links } = this.rows.shape;
    return level === 0 ? links * 2 : links;
  }

  /** Takes over nodes with links as they were told; links that do not go both ways are dropped. */
  adopt(told: ReadonlyMap<number, readonly (readonly number[])[]>): void {
    for (const [row, levels] of told) {
      this.links[row] = levels.map((ids, level) => {
        const linked = ids.filter((id, i) => {
          const back = told.get(id)?.[level];
          return id !== row && back?.includes(row) === true && ids.indexOf(id) === i;
        });
        return linked;
      });
      this.consider(row);
    }
  }

  /** Links all rows that have no node yet, those that lost links, and what cannot be reached. */
  complete(): void {
    const sparse: number[] = [];
    for (let row = 0; row < this.rows.end; row++) {
      const levels = this.links[row];
      if (levels === null || levels === undefined) continue;
      if (levels[0]!.length < this.rows.shape.links / 2) sparse.push(row);
    }
    for (let row = 0; row < this.rows.end; row++) {
      if (this.rows.isLive(row) && this.links[row] === null) this.insert(row);
    }
    for (const row of sparse) this.reconnect(row);
    this.reachAll();
  }

  private consider(row: number): void {
    if (this.entry < 0 || this.levelOf(row) > this.levelOf(this.entry)) this.entry = row;
  }

  private levelOf(row: number): number {
    return this.links[row]!.length - 1;
  }

  private linksOf(row: number, level: number): number[] {
    return this.links[row]![level]!;
  }

  private insert(row: number): void {
    const level = levelFor(this.rows.nameAt(row));
    this.links[row] = Array.from({ length: level + 1 }, () => []);
    const { entry } = this;
    if (entry >= 0) {
      const top = this.levelOf(entry);
      let from = this.descend(row, entry, top, level);
      for (let at = Math.min(level, top); at >= 0; at--) {
        this.look(row, from, at, SIGHT);
        from = this.nearest.rows[0]!;
        this.connect(row, at);
      }
    }
    this.consider(row);
  }

  /** The nearest node found on the way from the top level down to the one above `level`. */
  private descend(row: number, entry: number, top: number, level: number): number {
    let from = entry;
    for (let at = top; at > level; at--) {
      this.look(row, from, at, 1);
      from = this.nearest.rows[0]!;
    }
    return from;
  }

  /** Gives a node that has few links on the lowest level more of them. */
  private reconnect(row: number): void {
    if (this.linksOf(row, 0).length >= this.rows.shape.links / 2) return;
    this.look(row, this.descend(row, this.entry, this.levelOf(this.entry), 0), 0, SIGHT);
    this.connect(row, 0);
  }

  /** Gathers the nodes of a level that are nearest to a row, from a node on; the row itself is not among them. */
  private look(row: number, from: number, level: number, room: number): void {
    const { nearest, seen, distances } = this;
    const search = ++this.search;
    nearest.begin(room);
    seen[row] = search;
    seen[from] = search;
    // A search that starts at the row itself starts at its links.
    nearest.offer(from, from === row ? Number.MAX_VALUE : distances.between(row, from));
    for (let at = nearest.follow(); at >= 0; at = nearest.follow()) {
      for (const linked of this.linksOf(at, level)) {
        if (seen[linked] === search) continue;
        seen[linked] = search;
        nearest.offer(linked, distances.between(row, linked));
      }
    }
  }

  /** Links a node with those gathered: near ones, in different directions if possible. */
  private connect(row: number, level: number): void {
    const { nearest, distances } = this;
    const wanted = this.rows.shape.links;
    const own = this.linksOf(row, level);
    const passedOver: number[] = [];
    for (let i = 0; i < nearest.count && own.length < wanted; i++) {
      const other = nearest.rows[i]!;
      if (other === row || own.includes(other)) continue;
      const distance = nearest.distances[i]!;
      if (own.some((linked) => distances.between(other, linked) < distance)) passedOver.push(other);
      else this.link(row, other, level);
    }
    for (const other of passedOver) {
      if (own.length >= wanted / 2) break;
      this.link(row, other, level);
    }
  }

  private link(row: number, other: number, level: number): void {
    this.linksOf(row, level).push(other);
    this.linksOf(other, level).push(row);
    if (this.linksOf(other, level).length > this.capacity(level)) this.shed(other, row, level);
  }

  /** Takes from a node that has too many links the one to the farthest node that can spare it. */
  private shed(row: number, newcomer: number, level: number): void {
    const { links } = this.rows.shape;
    const dropped =
      this.farthest(row, newcomer, level, links / 2) ?? this.farthest(row, newcomer, level, 1) ?? newcomer;
    // A newcomer that has nothing else stays: then the node has one link more than its share.
    if (dropped === newcomer && this.linksOf(newcomer, level).length === 1) return;
    this.unlink(row, dropped, level);
  }

  /** The farthest of the nodes linked with a row that have more than `kept` links; null when there is none. */
  private farthest(row: number, newcomer: number, level: number, kept: number): number | null {
    let found: number | null = null;
    let most = -1;
    for (const linked of this.linksOf(row, level)) {
      if (linked === newcomer || this.linksOf(linked, level).length <= kept) continue;
      const distance = this.distances.between(row, linked);
      if (distance <= most) continue;
      most = distance;
      found = linked;
    }
    return found;
  }

  private unlink(a: number, b: number, level: number): void {
    const ofA = this.linksOf(a, level);
    const ofB = this.linksOf(b, level);
    ofA.splice(ofA.indexOf(b), 1);
    ofB.splice(ofB.indexOf(a), 1);
  }

  /** Links what cannot be reached on the lowest level with the nearest node that can. */
  private reachAll(): void {
    if (this.entry < 0) return;
    const reached = new Uint8Array(this.rows.end);
    this.spread(this.entry, reached);
    for (let row = 0; row < this.rows.end; row++) {
      if (reached[row] === 1 || this.links[row] === null) continue;
      this.look(row, this.entry, 0, SIGHT);
      const near = this.roomiest();
      this.linksOf(row, 0).push(near);
      this.linksOf(near, 0).push(row);
      this.spread(row, reached);
    }
  }

  /** The nearest of the nodes gathered that has room for a link, or else the nearest. */
  private roomiest(): number {
    const { nearest } = this;
    for (let i = 0; i < nearest.count; i++) {
      const row = nearest.rows[i]!;
      if (this.linksOf(row, 0).length < this.capacity(0)) return row;
    }
    return nearest.rows[0]!;
  }

  private spread(from: number, reached: Uint8Array): void {
    const waiting = [from];
    reached[from] = 1;
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      for (const linked of this.linksOf(row, 0)) {
        if (reached[linked] === 1) continue;
        reached[linked] = 1;
        waiting.push(linked);
      }
    }
  }

  /** A row's node as it is written, its links by ascending id. */
  nodeOf(row: number, idOf: (row: number) => number): NodeRecord {
    const levels = this.links[row]!.map((links, level) => ({
      ids: links.sort((a, b) => a - b).map(idOf),
      capacity: Math.max(this.capacity(level), links.length),
    }));
    return { id: idOf(row), levels };
  }
}

/** The level of a new node: one in four gets to each next level. */
function levelFor(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  const zeros = hash === 0 ? 32 : 31 - Math.clz32(hash & -hash);
  return Math.min(zeros >>> 1, LEVEL_MAX);
}
