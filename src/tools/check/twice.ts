import { pumpSource } from '../../bytes/pump.js';
import type { ByteSource } from '../../bytes/source.js';
import { assert } from '../../errors.js';
import { type Depth, type KeyHead, SKIP } from '../../model/handler.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import type { DialectName } from '../../rdb/dialect.js';
import { RdbSink, type RdbSummary } from '../../rdb/handler.js';
import type { ToolContext } from '../context.js';
import { NameMemory, type Suspects } from './names.js';

/** What one pass over an RDB, value by value walked past, finds out. */
export interface NamesRead {
  /** Names that may have come twice; null when there are too many of them, or of names, for the memory given. */
  readonly suspects: Suspects | null;
  readonly summary: RdbSummary;
}

/**
 * Reads the names of an RDB that is nothing but one, and its checksum.
 *
 * @throws FormatError when it cannot be read to its end or the checksum differs
 */
export async function readNames(
  source: ByteSource,
  dialect: DialectName | null,
  memoryBytes: number,
): Promise<NamesRead> {
  const names = new NameReader(memoryBytes);
  const decoder = new RdbDecoder(names, {
    verifyChecksum: true,
    deep: false,
    dialect: dialect ?? undefined,
  });
  await pumpSource(source, decoder);
  const { memory, summary } = names;
  assert(summary !== null, 'an RDB that was read has a summary');
  return { suspects: memory?.suspects() ?? null, summary };
}

class NameReader extends RdbSink {
  memory: NameMemory | null = new NameMemory();
  summary: RdbSummary | null = null;

  constructor(private readonly memoryBytes: number) {
    super();
  }

  override key(head: KeyHead): Depth {
    const { memory } = this;
    const { bytes, start, end } = head.key;
    if (memory?.add(head.database, bytes, start, end) === true && memory.heldBytes > this.memoryBytes) {
      this.memory = null;
    }
    return SKIP;
  }

  override end(summary: RdbSummary): void {
    this.summary = summary;
  }
}

/** Told of every key that stands a second time: its head is borrowed, `firstOffset` that of the record before. */
export type OnTwice = (head: KeyHead, firstOffset: number) => void;

/** Reads an RDB that is known to be whole once more, for the names that its first reading made suspects. */
export async function findKeysTwice(
  source: ByteSource,
  dialect: DialectName | null,
  suspects: Suspects,
  onTwice: OnTwice,
  context: ToolContext,
): Promise<void> {
  const decoder = new RdbDecoder(new SecondLook(suspects, onTwice), {
    verifyChecksum: false,
    deep: false,
    dialect: dialect ?? undefined,
  });
  await pumpSource(source, decoder, {
    signal: context.signal,
    progress: (done) =>
      context.progress({ phase: 'comparing names in', label: source.label, done, total: source.size }),
  });
}

class SecondLook extends RdbSink {
  /** Database and name to the offset of the first record. */
  private readonly first = new Map<string, number>();

  constructor(
    private readonly suspects: Suspects,
    private readonly onTwice: OnTwice,
  ) {
    super();
  }

  override key(head: KeyHead): Depth {
    const { bytes, start, end } = head.key;
    if (this.suspects.has(head.database, bytes, start, end)) {
      const name = `${head.database} ${head.key.latin1()}`;
      const before = this.first.get(name);
      if (before === undefined) this.first.set(name, head.offset);
      else this.onTwice(head, before);
    }
    return SKIP;
  }
}
