import type { ByteSlice } from '../../bytes/slice.js';
import { Arena } from '../../keyspace/arena.js';
import { ByteTable, OWN_WORDS } from '../../keyspace/byte-table.js';

/** The names of keys that went by. Holds them: their bytes and about 40 bytes more each. */
export class KeyNames {
  private readonly arena = new Arena();
  private readonly databases = new Map<number, ByteTable>();

  /** False when the name was there. */
  add(database: number, { bytes, start, end }: ByteSlice): boolean {
    let table = this.databases.get(database);
    if (table === undefined) {
      table = new ByteTable(this.arena, OWN_WORDS * 4);
      this.databases.set(database, table);
    }
    return table.put(bytes, start, end) < 0;
  }
}
