import type { ItemHandler } from '../model/handler.js';
import { Arena } from './arena.js';
import type { ChunkMemory } from './chunk-memory.js';
import { Database } from './database.js';
import { Walk } from './walk.js';

/**
 * Databases of keys in memory, all in one arena, and the function libraries. A database object that was asked for stays
 * the one of its number until a flush or a swap.
 */
export class Keyspace {
  arena: Arena;
  /** Where a command builds a value before it takes the place of another; empty between commands. */
  scratch: Database;
  /** Complete source of each function library by its name, one character per byte. */
  readonly functions = new Map<string, Buffer>();
  /** Scripts that EVALSHA can name, by their SHA1 in lower case, one character per byte. */
  readonly scripts = new Map<string, string>();
  private readonly databases = new Map<number, Database>();

  /** `memory`: what a kernel has in common with it, all its own from now on. */
  constructor(private readonly memory: ChunkMemory | null = null) {
    this.arena = new Arena(memory);
    this.scratch = new Database(this.arena);
  }

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

  /** Starts telling everything to a handler. */
  walk(handler: ItemHandler): Walk {
    return new Walk(this, handler);
  }

  /** Empties a database. */
  flush(index: number): void {
    const database = this.databases.get(index);
    if (database === undefined) return;
    if (this.size === database.size) {
      this.flushAll();
      return;
    }
    database.release();
    this.databases.delete(index);
  }

  /** Empties all databases. Functions stay. */
  flushAll(): void {
    this.databases.clear();
    this.arena = new Arena(this.memory);
    this.scratch = new Database(this.arena);
  }

  /** Exchanges the contents of two databases. */
  swap(a: number, b: number): void {
    const first = this.database(a);
    this.databases.set(a, this.database(b));
    this.databases.set(b, first);
  }
}
