import { reclaimMemory } from '../reclaim.js';
import type { JoinTask } from '../thread.js';
import { EntryStore, type SharedEntries } from './entry-store.js';
import { EntryJoin, type JoinedParts } from './join.js';
import { KeyTable } from './key-table.js';
import { namesOf } from './notes.js';

/** With more names than take so much, what was left here is done again by the other thread. */
const TABLE_BYTES_MAX = 4 * 1024 * 1024;

/** The second thread's part of the joining; null when it is not worth it. */
export async function joinPart({ from, before, after, counting }: JoinTask): Promise<JoinedParts | null> {
  const table = new KeyTable();
  const join = new EntryJoin(storeOf(before), storeOf(after), counting, from);
  await join.fill(table, TABLE_BYTES_MAX);
  if (!join.done) return null;
  const { same, lone, repeated, doubtful } = join;
  return { same, lone, names: namesOf(table), sides: table.sides, repeated, doubtful };
}

function storeOf(shared: SharedEntries): EntryStore {
  const scratch = () => Promise.reject(new Error('what is shared is in memory'));
  const store = new EntryStore({ heldBytes: 0, spare: [], scratch });
  store.takeShared(shared);
  return store;
}

/** Gives back what was shared: the memory is freed when both threads have. */
export const giveBack = (): void => reclaimMemory();
