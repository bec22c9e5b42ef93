import type { ByteSlice } from '../bytes/slice.js';
import { type Depth, type KeyHead, SKIP } from '../model/handler.js';
import type { ValueKind } from '../model/kind.js';
import { type RdbHeader, RdbSink, type RdbSummary } from '../rdb/handler.js';
import { MODULE_ID_BYTES, type ModuleId, moduleIdOf, NO_ID } from '../rdb/module-id.js';
import { isExpired } from './filter.js';

/** How many keys of one database there are, how many have a TTL, and how many are past it. */
export interface DatabaseCount {
  keys: number;
  withExpiry: number;
  expired: number;
}

/** How many keys of one type there are, by encoding. */
export interface KindCount {
  keys: number;
  readonly encodings: Map<string, number>;
}

/** What one module has in a file, by the encoding of its values. */
export interface ModuleCount {
  /** Of the type, nine characters; '' when an id names none. */
  readonly name: string;
  /** Of the encoding, as the module counts it. */
  readonly version: number;
  keys: number;
  /** Records that stand beside the keys. */
  auxRecords: number;
}

/** One field of the preamble of an RDB; name and value with one character per byte. */
export interface AuxField {
  readonly name: string;
  readonly value: string;
}

/** Fields that stand beside every key or slot. */
const REPEATED_AUX = new Set(['mvcc-tstamp', 'keydb-subexpire-key', 'keydb-subexpire-when', 'slot-info']);

/** Counts what an RDB holds without looking into any value. */
export class Inventory extends RdbSink {
  rdbHeader: RdbHeader | null = null;
  summary: RdbSummary | null = null;
  /** Each field once if it is told again for every key or slot; `auxCounts` says how often that was. */
  readonly auxFields: AuxField[] = [];
  readonly auxCounts = new Map<string, number>();
  /** Some slot was being imported. */
  slotImports = 0;
  readonly databases = new Map<number, DatabaseCount>();
  readonly kinds = new Map<ValueKind, KindCount>();
  functions = 0;
  /** Some hash may have fields with a TTL. */
  fieldTtls = false;
  moduleAuxRecords = 0;
  /** In the order in which they were met. */
  readonly modules = new Map<string, ModuleCount>();
  /** Sum over all databases. */
  readonly total: DatabaseCount = { keys: 0, withExpiry: 0, expired: 0 };
  private current: DatabaseCount | null = null;
  private currentIndex = -1;
  private inModuleAux = false;

  constructor(private readonly nowMs: number) {
    super();
  }

  override header(header: RdbHeader): void {
    this.rdbHeader = header;
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    const text = name.latin1();
    if (REPEATED_AUX.has(text)) {
      const times = this.auxCounts.get(text) ?? 0;
      this.auxCounts.set(text, times + 1);
      if (times > 0) return;
    }
    this.auxFields.push({ name: text, value: value.latin1() });
  }

  override slotImport(): void {
    this.slotImports++;
  }

  override functionLibrary(): void {
    this.functions++;
  }

  override moduleAux({ bytes, start, end }: ByteSlice, last: boolean): void {
    if (!this.inModuleAux) {
      this.moduleAuxRecords++;
      this.moduleOf(end - start >= MODULE_ID_BYTES ? moduleIdOf(bytes, start) : NO_ID).auxRecords++;
    }
    this.inModuleAux = !last;
  }

  override key(head: KeyHead): Depth {
    const database = this.databaseOf(head.database);
    const kind = this.kindOf(head.kind);
    database.keys++;
    kind.keys++;
    kind.encodings.set(head.encoding, (kind.encodings.get(head.encoding) ?? 0) + 1);
    this.total.keys++;
    if (head.kind === 'module') this.moduleOf({ name: head.moduleName, version: head.moduleVersion }).keys++;
    if (head.fieldsExpire) this.fieldTtls = true;
    if (head.hasExpiry) {
      database.withExpiry++;
      this.total.withExpiry++;
      if (isExpired(head, this.nowMs)) {
        database.expired++;
        this.total.expired++;
      }
    }
    return SKIP;
  }

  override end(summary: RdbSummary): void {
    this.summary = summary;
  }

  private moduleOf({ name, version }: ModuleId): ModuleCount {
    const of = `${name} ${version}`;
    let count = this.modules.get(of);
    if (count === undefined) this.modules.set(of, (count = { name, version, keys: 0, auxRecords: 0 }));
    return count;
  }

  private databaseOf(index: number): DatabaseCount {
    if (this.current !== null && index === this.currentIndex) return this.current;
    let count = this.databases.get(index);
    if (count === undefined) this.databases.set(index, (count = { keys: 0, withExpiry: 0, expired: 0 }));
    this.currentIndex = index;
    return (this.current = count);
  }

  private kindOf(kind: ValueKind): KindCount {
    let count = this.kinds.get(kind);
    if (count === undefined) this.kinds.set(kind, (count = { keys: 0, encodings: new Map() }));
    return count;
  }
}
