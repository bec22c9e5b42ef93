import { Arena } from './arena.js';
import { Database } from './database.js';

/** Databases of keys in memory, all in one arena, and the function libraries. */
export class Keyspace {
  readonly arena = new Arena();
  /** Complete source of each function library by its name, one character per byte. */
  readonly functions = new Map<string, Buffer>();
  private readonly databases = new Map<number, Database>();

  /** The database of that number, created empty when there was none. */
  database(index: number): Database {
    let database = this.databases.get(index);
    if (database === undefined) {
      database = new Database(this.arena);
      this.databases.set(index, database);
    }
    return database;
  }

  /** Numbers of the databases that hold keys, ascending. */
  indexes(): number[] {
    const held = [...this.databases].filter(([, database]) => database.size > 0);
    return held.map(([index]) => index).sort((a, b) => a - b);
  }

  /** Keys in all databases. */
  get size(): number {
    let sum = 0;
    for (const database of this.databases.values()) sum += database.size;
    return sum;
  }

  /** Exchanges the contents of two databases. */
  swap(a: number, b: number): void {
    const first = this.database(a);
    this.databases.set(a, this.database(b));
    this.databases.set(b, first);
  }
}
