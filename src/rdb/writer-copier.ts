import type { ByteSlice } from '../bytes/slice.js';
import type { ByteTarget } from '../bytes/target.js';
import { type Depth, type KeyHead, RAW, SKIP } from '../model/handler.js';
import { OPCODE_EXPIRETIME, OPCODE_EXPIRETIME_MS, OPCODE_FREQ, OPCODE_IDLE } from './constants.js';
import { RdbFile } from './encode/file.js';
import { GrowingBytes } from './encode/growing-bytes.js';
import { RdbSink, type RdbSummary } from './handler.js';

const ATTRIBUTES: readonly number[] = [OPCODE_EXPIRETIME, OPCODE_EXPIRETIME_MS, OPCODE_IDLE, OPCODE_FREQ];
/** KeyDB tells the TTLs of a value's members in fields like these behind the value. */
const KEYDB_MEMBER_FIELD = 'keydb-subexpire-';

/**
 * Copies an RDB as it stands: the same bytes when every key is kept, else the same without the keys that are not. The
 * numbers of keys that a file tells in advance are left as they are; servers take them for hints.
 */
export class RdbCopier extends RdbSink {
  /** Keys copied so far. */
  keys = 0;
  private readonly file: RdbFile;
  /** Bytes of which it is not known yet whether they belong to a key that goes. */
  private readonly held = new GrowingBytes();
  private dropping = false;

  /** `keeps` sees a borrowed head. */
  constructor(
    private readonly into: ByteTarget,
    private readonly keeps: (head: KeyHead) => boolean,
  ) {
    super();
    this.file = new RdbFile(into, false);
  }

  override get full(): boolean {
    return this.into.full;
  }

  drain(): Promise<void> {
    return this.into.drain();
  }

  override record(bytes: ByteSlice): void {
    this.held.put(bytes.bytes, bytes.start, bytes.end);
  }

  private release(): void {
    this.file.output.raw(this.held.bytes, 0, this.held.end);
    this.held.reset();
  }

  override header(): void {
    this.release();
  }

  override aux(name: ByteSlice): void {
    // A field may stand between a key's attributes and the key: all of it goes or stays together.
    if (ATTRIBUTES.includes(this.held.bytes[0]!)) return;
    if (this.dropping && name.latin1().startsWith(KEYDB_MEMBER_FIELD)) this.held.reset();
    else this.release();
  }

  override database(): void {
    this.release();
  }

  override resize(): void {
    this.release();
  }

  override slotInfo(): void {
    this.release();
  }

  override moduleAux(): void {
    this.release();
  }

  override functionLibrary(): void {
    this.release();
  }

  override key(head: KeyHead): Depth {
    this.dropping = !this.keeps(head);
    if (this.dropping) {
      this.held.reset();
      return SKIP;
    }
    this.release();
    this.keys++;
    return RAW;
  }

  override raw(fragment: ByteSlice): void {
    this.file.output.raw(fragment.bytes, fragment.start, fragment.end);
  }

  override end(summary: RdbSummary): void {
    this.release();
    const without = summary.checksum === 'none' ? 'none' : 'zero';
    this.file.end(summary.checksum === 'ok' || summary.checksum === 'unchecked' ? 'checksum' : without);
  }
}
