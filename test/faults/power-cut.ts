import type { Random } from '../support/random.js';
import type { Call } from './watched-system.js';

/** What a medium holds: files by their path, with their bytes; directories with null. */
export type Medium = ReadonlyMap<string, Buffer | null>;

const SECTOR = 512;

/** A file or directory by itself, whatever names lead to it. */
class Node {
  /** Changes to the bytes that a power cut may undo, in order. */
  pending: readonly ({ readonly at: number; readonly bytes: Buffer } | { readonly cut: number })[] = [];
  /** Names in a directory: as the running system sees them, and those that are on the medium for sure. */
  readonly seen = new Map<string, Node>();
  readonly kept = new Map<string, Node>();

  /** `durable`: bytes that are on the medium for sure; null for a directory. */
  constructor(public durable: Buffer | null) {}
}

/** A change of a name that a power cut may undo: it leads elsewhere now, or nowhere. */
interface Renaming {
  readonly directory: Node;
  readonly name: string;
  readonly node: Node | null;
  /** The change that must be there for this one: the new name of what lost its old one. */
  readonly after: Renaming | null;
}

/**
 * A model of a file system without a journal: only what was synced is sure to be there after a power cut, names by a
 * sync of their directory, bytes by a sync of their file; anything of the rest may be there, in any combination.
 */
export class PowerCut {
  private readonly root = new Node(null);
  private waiting: Renaming[] = [];

  /** `top`: the directory that all paths are below. What is there is on the medium. */
  constructor(
    private readonly top: string,
    medium: Medium,
  ) {
    for (const [path, bytes] of medium) {
      const { directory, name } = this.place(path);
      const node = new Node(bytes);
      directory.seen.set(name, node);
      directory.kept.set(name, node);
    }
  }

  /** Changes of names that may still be lost. */
  get open(): number {
    return this.waiting.length;
  }

  apply(call: Call): void {
    const { path, to = '' } = call;
    switch (call.name) {
      case 'open':
        if (call.creates === true) this.name(path, new Node(Buffer.alloc(0)));
        break;
      case 'mkdir':
        for (const each of call.made ?? []) this.name(each, new Node(null));
        break;
      case 'write':
        this.change(path, { at: call.at!, bytes: call.bytes! });
        break;
      case 'truncate':
        this.change(path, { cut: call.at! });
        break;
      case 'link':
        this.name(to, this.at(path)!);
        break;
      case 'rename':
        this.name(path, null, this.name(to, this.at(path)!));
        break;
      case 'unlink':
      case 'rmdir':
      case 'rm':
        this.name(path, null);
        break;
      case 'sync':
        this.sync(path);
        break;
      default:
    }
  }

  private place(path: string): { directory: Node; name: string } {
    const parts = path.slice(this.top.length + 1).split('/');
    const name = parts.pop()!;
    return { directory: parts.reduce((node, part) => node.seen.get(part)!, this.root), name };
  }

  private at(path: string): Node | undefined {
    if (path === this.top) return this.root;
    const { directory, name } = this.place(path);
    return directory.seen.get(name);
  }

  private name(path: string, node: Node | null, after: Renaming | null = null): Renaming {
    const { directory, name } = this.place(path);
    const change = { directory, name, node, after };
    set(directory.seen, change);
    this.waiting.push(change);
    return change;
  }

  private change(path: string, what: Node['pending'][number]): void {
    const node = this.at(path);
    // A file that has no name any more is gone with the power.
    if (node === undefined) return;
    node.pending = [...node.pending, what];
  }

  private sync(path: string): void {
    const node = this.at(path);
    if (node === undefined) return;
    if (node.durable !== null) {
      node.durable = withAll(node);
      node.pending = [];
      return;
    }
    for (const change of this.waiting) if (change.directory === node) set(node.kept, change);
    this.waiting = this.waiting.filter(({ directory }) => directory !== node);
  }

  /** The media that may be found after the power came back: with nothing and with all of what is open, and some between. */
  *media(random: Random, samples: number): Generator<Medium> {
    const { waiting } = this;
    const isFew = 2 ** waiting.length <= samples;
    const count = isFew ? 2 ** waiting.length : samples;
    for (let i = 0; i < count; i++) {
      const happens = (at: number): boolean => {
        if (isFew) return ((i >> at) & 1) === 1;
        return i === 0 ? false : i === 1 ? true : random.below(2) === 1;
      };
      const done = new Set<Renaming | null>([null]);
      const names = new Map<Node, Map<string, Node>>();
      waiting.forEach((change, at) => {
        if (!happens(at) || !done.has(change.after)) return;
        done.add(change);
        const inside = names.get(change.directory) ?? new Map(change.directory.kept);
        names.set(change.directory, inside);
        set(inside, change);
      });
      const medium = new Map<string, Buffer | null>();
      const made = new Map<Node, Buffer>();
      this.tell(this.root, this.top, names, medium, (node) => {
        if (!made.has(node)) made.set(node, bytesOf(node, random));
        return made.get(node)!;
      });
      yield medium;
    }
  }

  private tell(
    directory: Node,
    path: string,
    names: ReadonlyMap<Node, ReadonlyMap<string, Node>>,
    medium: Map<string, Buffer | null>,
    bytes: (node: Node) => Buffer,
  ): void {
    for (const [name, node] of names.get(directory) ?? directory.kept) {
      const whole = `${path}/${name}`;
      medium.set(whole, node.durable === null ? null : bytes(node));
      if (node.durable === null) this.tell(node, whole, names, medium, bytes);
    }
  }
}

function set(names: Map<string, Node>, { name, node }: Renaming): void {
  if (node === null) names.delete(name);
  else names.set(name, node);
}

function withAll({ durable, pending }: Node): Buffer {
  let bytes = durable!;
  for (const change of pending) bytes = changed(bytes, change);
  return bytes;
}

function changed(bytes: Buffer, change: Node['pending'][number]): Buffer {
  if ('cut' in change) return Buffer.from(bytes.subarray(0, change.cut));
  const larger = Buffer.alloc(Math.max(bytes.length, change.at + change.bytes.length));
  bytes.copy(larger);
  change.bytes.copy(larger, change.at);
  return larger;
}

/** Bytes of a file after the cut: those that are sure, all, a shorter part, or some sectors of what was written. */
function bytesOf(node: Node, random: Random): Buffer {
  const { durable, pending } = node;
  if (pending.length === 0) return durable!;
  const all = withAll(node);
  const way = random.below(4);
  if (way === 0) return all;
  // A size is changed at once or not at all; bytes are changed sector by sector.
  if (way === 1 || all.length < durable!.length) return durable!;
  const torn = Buffer.alloc(all.length);
  durable!.copy(torn);
  if (way === 2) return torn.subarray(0, Math.max(durable!.length, random.below(all.length + 1)));
  for (let at = 0; at < all.length; at += SECTOR) {
    if (random.below(2) === 0) all.copy(torn, at, at, Math.min(all.length, at + SECTOR));
  }
  return torn;
}
