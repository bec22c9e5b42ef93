import type { ByteSlice } from '../bytes/slice.js';
import { type ItemHandler, ItemSink } from '../model/handler.js';
import type { Dialect } from './dialect.js';
import type { SizeListener } from './metered-skim.js';
import type { Shortcut } from './shortcut.js';

export interface RdbHeader {
  readonly magic: string;
  readonly version: number;
  readonly dialect: Dialect;
}

/** What stood at the end of an RDB. */
export interface RdbSummary {
  /** Absolute offset just past the trailer. */
  readonly endOffset: number;
  readonly keys: number;
  /**
   * 'ok' was compared and equal; 'none' the version has no trailer; 'disabled' a zero trailer, saved without checksum;
   * 'unchecked' the decoder was told not to compute it.
   */
  readonly checksum: 'ok' | 'none' | 'disabled' | 'unchecked';
  /** Absolute offset of the trailer, where the bytes end that the checksum covers; -1 when the version has none. */
  readonly trailerOffset: number;
  /** The checksum the trailer holds, as unsigned 32-bit words; both 0 without one. */
  readonly storedHigh: number;
  readonly storedLow: number;
  /** The dialect as it turned out: aux fields can name another product than the header did. */
  readonly dialect: Dialect;
}

/** Everything an RDB file tells: the dataset, and what stands around it. */
export interface RdbHandler extends ItemHandler {
  /**
   * Where there is such a method, it gets every byte that is neither a key's value nor the end mark with its trailer, as
   * it stands in the file: magic, opcodes with their fields, a key's attributes, type number and name. A key's own part
   * comes before `key`, any other right after the event that gives its meaning; with all values taken RAW in between,
   * the parts are the file.
   */
  record?(bytes: ByteSlice): void;
  /** Where there is one, it is told the sizes of keys that are taken SKIP or RAW. */
  readonly sizes?: SizeListener;
  /** Who takes records before they are decoded; may come and go between two of them. */
  readonly shortcut?: Shortcut | null;
  header(header: RdbHeader): void;
  aux(name: ByteSlice, value: ByteSlice): void;
  /** Hints only: keys and keys with expiry of the current database. */
  resize(keys: number, expires: number): void;
  slotInfo(slot: number, keys: number, expires: number): void;
  /** A slot migration that was under way: its job's name and how many slots; their data may be there in part. */
  slotImport(job: ByteSlice, slots: number): void;
  /** A module's auxiliary record, opcode and end mark excluded, byte for byte; may come in fragments. */
  moduleAux(fragment: ByteSlice, last: boolean): void;
  end(summary: RdbSummary): void;
  /** Read after every item: true makes the decoder return PAUSE. */
  readonly full: boolean;
}

/** An RdbHandler that ignores everything. */
export class RdbSink extends ItemSink implements RdbHandler {
  header(_header: RdbHeader): void {}
  aux(_name: ByteSlice, _value: ByteSlice): void {}
  resize(_keys: number, _expires: number): void {}
  slotInfo(_slot: number, _keys: number, _expires: number): void {}
  slotImport(_job: ByteSlice, _slots: number): void {}
  moduleAux(_fragment: ByteSlice, _last: boolean): void {}
  end(_summary: RdbSummary): void {}
  get full(): boolean {
    return false;
  }
}
