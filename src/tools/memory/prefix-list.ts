import type { PrefixNode } from './prefix-tree.js';

/** A group in a list of groups, each behind the one it is in. */
export interface ListedPrefix {
  readonly node: PrefixNode;
  /** 0: not inside any other group. */
  readonly depth: number;
}

/**
 * The `limit` largest groups below the whole, each behind the one it is in, siblings by size. A group is never larger
 * than the one it is in, so none is there without it.
 */
export function listPrefixes(whole: PrefixNode, limit: number): ListedPrefix[] {
  const all: PrefixNode[] = [];
  const gather = (nodes: readonly PrefixNode[]): void => {
    for (const node of nodes) {
      all.push(node);
      gather(node.children);
    }
  };
  gather(topOf(whole));
  // Sorting is stable: of equals, a group comes before those in it.
  const chosen = new Set(all.sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, limit));
  const list: ListedPrefix[] = [];
  const tell = (nodes: readonly PrefixNode[], depth: number): void => {
    for (const node of nodes) {
      if (!chosen.has(node)) continue;
      list.push({ node, depth });
      tell(node.children, depth + 1);
    }
  };
  tell(topOf(whole), 0);
  return list;
}

/** The groups of the first level; where all keys are in one, that is the first. */
export const topOf = (whole: PrefixNode): readonly PrefixNode[] =>
  whole.keys === 0 ? [] : whole.pattern === '*' && whole.children.length > 0 ? whole.children : [whole];

const sizeOf = ({ memoryBytes, keys }: PrefixNode): number => memoryBytes + keys;
