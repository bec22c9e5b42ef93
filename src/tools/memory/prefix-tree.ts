import { ownBytes, rankSeparators, SegmentWriter, separatorAt } from './key-segment.js';
import { PrefixBranch } from './prefix-branch.js';

/** A group of keys, and the groups in it. */
export interface PrefixNode {
  /**
   * A pattern as KEYS and `--match` take it, one character per byte: numbers and ids stand as `*`. Every key of the group
   * matches it; so may keys of others.
   */
  readonly pattern: string;
  readonly keys: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  /** Keys that have a TTL. */
  readonly withExpiry: number;
  /** Largest first. What they lack of the group itself was in groups too small to be told apart. */
  readonly children: readonly PrefixNode[];
}

/** Names from this many bytes on are told apart by their start alone. */
const NAME_BYTES_MAX = 512;
const DEPTH_MAX = 12;
/** Names of a group that are held back until it is clear what separates their parts. */
const SAMPLE = 32;
/** What names that are held back take in all, and each beside its bytes. */
const HELD_BYTES_MAX = 8 << 20;
const HELD_KEY_BYTES = 160;
const BRANCHES_MAX = 16_384;
/** Groups in a group at which it is asked whether they are names of things or names of kinds. */
const CROWDED = 256;
const CROWDED_MAX = 4096;
/** A group of so few keys may be a thing. */
const FEW_KEYS = 8;
/** A group of this part of its parent stays, however few keys it has. */
const NOTABLE = 0.02;

/**
 * Finds the prefixes of keys by itself. In each group the first names say what separates their parts; numbers, UUIDs
 * and other ids count as one. Bounded memory, some 24 MB at most: where the groups become too many the smallest
 * are left out, and count in the groups around them alone. Counts of a group are exact while `dropped` is 0.
 */
export class PrefixTree {
  /** Groups that were left out because there were too many. */
  dropped = 0;
  private readonly root = new PrefixBranch(new Uint8Array(0), 0, true);
  private readonly writer = new SegmentWriter();
  private branches = 1;
  private heldBytes = 0;

  /** One key. Bytes may be 0 for whoever counts keys alone. */
  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    fileBytes: number,
    memoryBytes: number,
    expires: boolean,
  ): void {
    this.root.count(1, fileBytes, memoryBytes, expires ? 1 : 0);
    this.insert(
      this.root,
      bytes,
      start,
      Math.min(end, start + NAME_BYTES_MAX),
      fileBytes,
      memoryBytes,
      expires,
      0,
    );
    if (this.branches > BRANCHES_MAX) this.thin();
  }

  /** All keys, with the groups they fall into. The tree may grow on afterwards. */
  result(): PrefixNode {
    this.settle(this.root, 0);
    if (this.branches > BRANCHES_MAX) this.thin();
    return nodeOf(this.root, '');
  }

  /** Goes down from a branch that has counted the key. */
  private insert(
    from: PrefixBranch,
    bytes: Uint8Array,
    start: number,
    end: number,
    fileBytes: number,
    memoryBytes: number,
    expires: boolean,
    depth: number,
  ): void {
    let branch = from;
    for (let at = start, level = depth; at < end; level++) {
      if (branch.held !== null) {
        branch.held.push({ rest: ownBytes(bytes, at, end), fileBytes, memoryBytes, expires });
        this.heldBytes += end - at + HELD_KEY_BYTES;
        if (branch.held.length >= SAMPLE || this.heldBytes > HELD_BYTES_MAX) this.part(branch, level);
        return;
      }
      const stop = level >= DEPTH_MAX ? -1 : separatorAt(bytes, at, end, branch.ranks);
      const weight = memoryBytes + 1;
      branch = this.childAt(branch, bytes, at, stop < 0 ? end : stop, stop < 0 ? -1 : bytes[stop]!, weight);
      branch.count(1, fileBytes, memoryBytes, expires ? 1 : 0);
      at = stop < 0 ? end : stop + 1;
    }
  }

  private childAt(
    branch: PrefixBranch,
    bytes: Uint8Array,
    start: number,
    end: number,
    separator: number,
    weight: number,
  ): PrefixBranch {
    const { writer } = this;
    writer.write(bytes, start, end, branch.foldsDigits).close(separator);
    let child = branch.find(writer.bytes, writer.length, writer.hash);
    if (child !== null) return child;
    if (branch.closed && weight < branch.weight * NOTABLE) {
      writer.writeStar().close(separator);
      child = branch.find(writer.bytes, writer.length, writer.hash);
      if (child !== null) return child;
    }
    child = this.sprout(branch, separator >= 0);
    if (branch.childCount >= branch.crowded) {
      this.relieve(branch);
      return this.childAt(branch, bytes, start, end, separator, weight);
    }
    return child;
  }

  /** A new child by the segment in the writer. */
  private sprout(branch: PrefixBranch, isOpen: boolean): PrefixBranch {
    const { writer } = this;
    const child = new PrefixBranch(writer.copy(), writer.hash, isOpen);
    branch.adopt(child);
    this.branches++;
    return child;
  }

  /** It is clear by now, or must be, what separates the names of a branch. */
  private part(branch: PrefixBranch, depth: number): void {
    const held = branch.held!;
    branch.held = null;
    const names = held.map(({ rest }) => rest);
    branch.ranks = rankSeparators(names, this.writer);
    for (const { rest, fileBytes, memoryBytes, expires } of held) {
      this.heldBytes -= rest.length + HELD_KEY_BYTES;
      this.insert(branch, rest, 0, rest.length, fileBytes, memoryBytes, expires, depth);
    }
  }

  private settle(branch: PrefixBranch, depth: number): void {
    if (branch.held !== null && branch.held.length > 0) this.part(branch, depth);
    for (const child of branch.children()) this.settle(child, depth + 1);
  }

  /** Too many groups in one: numbers in their names, or names of things, are taken together. */
  private relieve(branch: PrefixBranch): void {
    if (!branch.foldsDigits) {
      branch.foldsDigits = true;
      this.regroup(branch, (child) => {
        const { name } = child;
        const separator = child.isOpen ? name.at(-1)! : -1;
        this.writer.foldDigits(name, 0, child.isOpen ? name.length - 1 : name.length);
        return separator;
      });
      if (branch.childCount < branch.crowded / 2) return;
    }
    const children = [...branch.children()];
    const isFew = ({ keys, weight }: PrefixBranch): boolean =>
      keys <= FEW_KEYS && weight < branch.weight * NOTABLE;
    const few = children.filter(isFew).length;
    if (few * 2 < children.length && branch.crowded < CROWDED_MAX) {
      branch.crowded *= 4;
      return;
    }
    branch.closed = true;
    const byWeight = children.sort((a, b) => b.weight - a.weight);
    const kept = new Set(
      few * 2 < children.length ? byWeight.slice(0, CROWDED / 2) : byWeight.filter((each) => !isFew(each)),
    );
    this.regroup(branch, (child) => {
      if (kept.has(child)) return null;
      this.writer.writeStar();
      return child.isOpen ? child.name.at(-1)! : -1;
    });
  }

  /** Names the children anew, as `rename` leaves it in the writer with the separator it returns; null: as it was. */
  private regroup(branch: PrefixBranch, rename: (child: PrefixBranch) => number | null): void {
    const children = [...branch.children()];
    branch.abandon();
    const { writer } = this;
    for (const child of children) {
      const separator = rename(child);
      if (separator === null) {
        branch.adopt(child);
        continue;
      }
      writer.close(separator);
      const other = branch.find(writer.bytes, writer.length, writer.hash);
      if (other !== null) {
        this.unite(other, child);
        continue;
      }
      branch.adopt(child.renamed(writer.copy(), writer.hash));
    }
  }

  /** Puts all that one branch holds into another. */
  private unite(into: PrefixBranch, from: PrefixBranch): void {
    into.count(from.keys, from.fileBytes, from.memoryBytes, from.withExpiry);
    this.branches--;
    for (const { rest, fileBytes, memoryBytes, expires } of from.held ?? []) {
      this.heldBytes -= rest.length + HELD_KEY_BYTES;
      this.insert(into, rest, 0, rest.length, fileBytes, memoryBytes, expires, 1);
    }
    const children = [...from.children()];
    if (children.length > 0 && into.held !== null) this.part(into, 1);
    for (const child of children) {
      const other = into.find(child.name, child.name.length, child.hash);
      if (other === null) into.adopt(child);
      else this.unite(other, child);
    }
  }

  /** Leaves out the lighter half of the groups: their parents have counted them. */
  private thin(): void {
    const weights: number[] = [];
    const gather = (branch: PrefixBranch): void => {
      for (const child of branch.children()) {
        weights.push(child.weight);
        gather(child);
      }
    };
    gather(this.root);
    weights.sort((a, b) => a - b);
    this.thinBelow(this.root, weights[weights.length >> 1]!);
  }

  private thinBelow(branch: PrefixBranch, weight: number): void {
    const children = [...branch.children()];
    const kept = children.filter((child) => child.weight > weight);
    if (kept.length < children.length) {
      branch.abandon();
      for (const child of kept) branch.adopt(child);
      for (const child of children) if (child.weight <= weight) this.forget(child);
    }
    for (const child of kept) this.thinBelow(child, weight);
  }

  private forget(branch: PrefixBranch): void {
    this.branches--;
    this.dropped++;
    for (const { rest } of branch.held ?? []) this.heldBytes -= rest.length + HELD_KEY_BYTES;
    for (const child of branch.children()) this.forget(child);
  }
}

const textOf = (name: Uint8Array): string => Buffer.from(name).latin1Slice();

/** A group whose keys are all in one group of it is that group. */
function nodeOf(given: PrefixBranch, path: string): PrefixNode {
  let branch = given;
  let pattern = path;
  for (;;) {
    const [only, another] = branch.children();
    if (only === undefined || another !== undefined || only.keys !== branch.keys) break;
    branch = only;
    pattern += textOf(only.name);
  }
  const children = [...branch.children()]
    .map((child) => nodeOf(child, pattern + textOf(child.name)))
    .sort((a, b) => b.memoryBytes - a.memoryBytes || b.keys - a.keys || (a.pattern < b.pattern ? -1 : 1));
  const { keys, fileBytes, memoryBytes, withExpiry } = branch;
  return {
    pattern: branch.isOpen ? `${pattern}*` : pattern,
    keys,
    fileBytes,
    memoryBytes,
    withExpiry,
    children,
  };
}
