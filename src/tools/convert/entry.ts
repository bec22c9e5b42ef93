import { normalLong } from '../../bytes/int64.js';
import { ByteSlice, sliceOf } from '../../bytes/slice.js';
import { type Depth, type ItemHandler, ItemSink, type KeyHead } from '../../model/handler.js';
import { MEMBER_FIELD, MEMBER_TIME_FIELD } from '../../rdb/constants.js';
import type { RdbHeader } from '../../rdb/handler.js';
import type { Shortcut } from '../../rdb/shortcut.js';
import { ProducerAux } from '../family.js';
import { RdbRelay } from '../relay.js';
import type { OutputRouter } from './sink.js';

/** Who wrote a source, as far as it says. */
export interface Origin {
  readonly producer: ProducerAux;
  /** RDB version; null where there is none. */
  readonly version: number | null;
}

/** The field of NDJSON that keeps the version of the RDB it was made from. */
const VERSION_FIELD = 'rdb-version';

/**
 * Takes one source. What leads to the outputs is made at the first of its data: by then it has said who wrote it. Fields
 * in front of the data are those of the output when `first`, else they are only read.
 */
export class SourceEntry extends RdbRelay {
  private readonly producer = new ProducerAux();
  private fileHeader: RdbHeader | null = null;
  private version: number | null = null;
  private readonly front: (readonly [name: ByteSlice, value: ByteSlice])[] = [];
  private begun = false;
  /** Undefined until somebody asks for it. */
  private way: Shortcut | null | undefined;
  /** A member of the key at hand whose expiry is told next, as KeyDB does. */
  private expiringMember: ByteSlice | null = null;

  constructor(
    private readonly outputs: OutputRouter,
    private readonly first: boolean,
    private readonly open: (origin: Origin) => ItemHandler,
    /** Whether the outputs are to have a library. */
    private readonly keepsLibrary: (code: ByteSlice) => boolean = () => false,
  ) {
    super(new ItemSink());
  }

  /** Called when the source has ended, too: one without keys makes an output without keys. */
  begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.target = this.open({ producer: this.producer, version: this.fileHeader?.version ?? this.version });
    for (const writer of this.outputs.writers()) {
      if (this.fileHeader !== null) writer.header?.(this.fileHeader);
      if (this.first) for (const [name, value] of this.front) writer.aux?.(name, value);
    }
    this.front.length = 0;
  }

  override header(header: RdbHeader): void {
    this.fileHeader = header;
    // Files of before 3.2 name no server: their version must not be lost in forms that have none.
    this.front.push([sliceOf(VERSION_FIELD), sliceOf(String(header.version))]);
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    const text = name.latin1();
    if (!this.begun) {
      this.producer.take(text, value.latin1());
      if (text === VERSION_FIELD && /^\d{1,4}$/.test(value.latin1())) this.version = Number(value.latin1());
      this.front.push([owned(name), owned(value)]);
    } else if (text === 'lua') {
      for (const writer of this.outputs.writers()) writer.aux?.(name, value);
    } else if (text === MEMBER_FIELD) {
      this.expiringMember = owned(value);
    } else if (text === MEMBER_TIME_FIELD && this.expiringMember !== null) {
      const time = value.latin1();
      if (/^-?\d{1,19}$/.test(time)) this.memberExpiry(this.expiringMember, normalLong(BigInt(time)));
      this.expiringMember = null;
    }
  }

  override slotImport(job?: ByteSlice, slots = 0): void {
    this.begin();
    if (job !== undefined) for (const writer of this.outputs.writers()) writer.slotImport?.(job, slots);
  }

  override moduleAux(fragment: ByteSlice, last: boolean): void {
    this.begin();
    for (const writer of this.outputs.writers()) writer.moduleAux?.(fragment, last);
  }

  override functionLibrary(code: ByteSlice): void {
    this.begin();
    if (!this.keepsLibrary(code)) return;
    for (const writer of this.outputs.writers()) writer.functionLibrary(code);
  }

  override database(index: number): void {
    this.begin();
    super.database(index);
  }

  override key(head: KeyHead): Depth {
    this.begin();
    this.outputs.forget();
    return super.key(head);
  }

  /** Past everything between here and the outputs, where that changes nothing. */
  get shortcut(): Shortcut | null {
    if (!this.begun) return null;
    if (this.way === undefined) this.way = this.target === this.outputs ? this.outputs.shortcut() : null;
    return this.way;
  }

  override get full(): boolean {
    return this.begun && this.outputs.full;
  }

  drain(): Promise<void> {
    return this.outputs.drain();
  }
}

function owned(slice: ByteSlice): ByteSlice {
  const bytes = slice.copy();
  return new ByteSlice().set(bytes, 0, bytes.length);
}
