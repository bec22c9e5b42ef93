import { GrowingBytes } from '../bytes/growing-bytes.js';
import type { ByteSlice } from '../bytes/slice.js';
import type { ByteTarget } from '../bytes/target.js';
import { type Depth, type KeyHead, RAW, SKIP } from '../model/handler.js';
import { MEMBER_FIELD, MEMBER_TIME_FIELD } from './constants.js';
import type { Dialect, OpcodeRule } from './dialect.js';
import { RdbFile } from './encode/file.js';
import { type RdbHeader, RdbSink, type RdbSummary } from './handler.js';

/** What opcodes that describe the next key are told as. */
const ATTRIBUTES: ReadonlySet<OpcodeRule | undefined> = new Set<OpcodeRule | undefined>([
  ...(['expiry-seconds', 'expiry-ms', 'idle', 'freq', 'key-metadata'] as const),
]);
/** What stands behind a value and belongs to it. */
const FIELDS_BEHIND: ReadonlySet<string> = new Set([MEMBER_FIELD, MEMBER_TIME_FIELD]);

/**
 * Copies an RDB as it stands: the same bytes when every key is kept, else the same without the keys that are not. The
 * numbers of keys that a file tells in advance are left as they are; servers take them for hints.
 */
export class RdbCopier extends RdbSink {
  /** Keys copied so far. */
  keys = 0;
  private readonly file: RdbFile;
  /** The record at hand; with the attributes in front of it, and what stands between, if it has any. */
  private readonly held = new GrowingBytes();
  private attributesHeld = false;
  private dropping = false;
  private skipNext = false;
  private inModuleAux = false;
  private opcodes: Dialect['opcodeOf'] = [];

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

  record({ bytes, start, end }: ByteSlice): void {
    const plain = this.inModuleAux;
    this.inModuleAux = false;
    if (this.skipNext) {
      this.skipNext = false;
      return;
    }
    if (!this.attributesHeld) this.release();
    this.attributesHeld ||= !plain && ATTRIBUTES.has(this.opcodes[bytes[start]!]);
    this.held.put(bytes, start, end);
  }

  private release(): void {
    this.file.output.raw(this.held.bytes, 0, this.held.end);
    this.held.reset();
    this.attributesHeld = false;
  }

  override header({ dialect }: RdbHeader): void {
    this.opcodes = dialect.opcodeOf;
  }

  override aux(name: ByteSlice): void {
    this.skipNext = this.dropping && FIELDS_BEHIND.has(name.latin1());
  }

  override moduleAux(): void {
    this.inModuleAux = true;
  }

  override key(head: KeyHead): Depth {
    this.dropping = !this.keeps(head);
    if (this.dropping) {
      this.held.reset();
      this.attributesHeld = false;
      return SKIP;
    }
    this.release();
    this.keys++;
    return RAW;
  }

  override raw({ bytes, start, end }: ByteSlice): void {
    this.file.output.raw(bytes, start, end);
  }

  override end(summary: RdbSummary): void {
    this.release();
    const without = summary.checksum === 'none' ? 'none' : 'zero';
    this.file.end(summary.checksum === 'ok' || summary.checksum === 'unchecked' ? 'checksum' : without);
  }
}
