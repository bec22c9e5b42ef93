import type { WriteContent } from '../../../aof/writer.js';
import type { ByteTarget } from '../../../bytes/target.js';
import { RdbWriter } from '../../../rdb/writer.js';
import type { RdbTarget } from '../../../rdb/writer-target.js';
import type { ToolContext } from '../../context.js';
import {
  isCommands,
  LOSSES_LISTED,
  type Loss,
  type OutputContent,
  type OutputForm,
} from '../../write-dataset.js';
import type { EncodeRequest, PartBlock, PartLosses } from './part-encoder.js';
import type { Survey } from './survey.js';

/** Where the records of one part come from. */
export type BlockSource = (request: EncodeRequest) => AsyncGenerator<PartBlock, PartLosses>;

/** Puts the records of parts together to outputs: databases ascending, in each the keys of all parts by turns. */
export class PartsContent implements OutputContent {
  readonly lost: Loss[] = [];
  lostCount = 0;

  constructor(
    private readonly parts: readonly BlockSource[],
    private readonly survey: Survey,
    private readonly target: RdbTarget,
    private readonly context: ToolContext,
  ) {}

  file(form: OutputForm): WriteContent {
    return isCommands(form, this.target) ? this.commands() : this.rdb(form === 'aof');
  }

  rdb(aofBase: boolean): WriteContent {
    return async (output) => {
      const writer = new RdbWriter(output, {
        ...{ target: this.target, compress: true, checksum: true, copyValues: false, aofBase },
        nowSeconds: Math.floor(this.context.nowMs / 1000),
        onLoss: () => {},
      });
      let at = -1;
      await this.merge(false, output, (database, bytes) => {
        if (database !== at) {
          at = database;
          writer.database(database);
          const count = this.survey.databases.get(database);
          if (count !== undefined) writer.resize(count.keys, count.withExpiry);
        }
        writer.records(database, bytes);
      });
      writer.finish();
    };
  }

  private commands(): WriteContent {
    return (output) => this.merge(true, output, (_database, bytes) => output.write(bytes));
  }

  private async merge(
    commands: boolean,
    output: ByteTarget,
    take: (database: number, bytes: Buffer) => void,
  ): Promise<void> {
    const request = { commands, target: this.target };
    const cursors = this.parts.map((blocks) => new Cursor(blocks(request)));
    try {
      await Promise.all(cursors.map((cursor) => cursor.next()));
      for (;;) {
        const database = Math.min(...cursors.map((cursor) => cursor.database));
        if (database === Number.POSITIVE_INFINITY) break;
        for (const cursor of cursors) {
          // One part goes on until a record ends; the next ones are made meanwhile.
          for (let block = cursor.block; block?.database === database; block = cursor.block) {
            take(database, asBuffer(block.bytes));
            if (output.full) await output.drain();
            this.context.signal.throwIfAborted();
            await cursor.next();
            if (block.whole) break;
          }
        }
      }
      for (const { losses } of cursors) this.lose(losses);
    } finally {
      await Promise.all(cursors.map((cursor) => cursor.close()));
    }
  }

  private lose({ lost, lostCount }: PartLosses): void {
    this.lostCount += lostCount;
    this.lost.push(...lost.slice(0, LOSSES_LISTED - this.lost.length));
  }
}

/** The block of a part that comes next. */
class Cursor {
  block: PartBlock | null = null;
  losses: PartLosses = { lost: [], lostCount: 0 };

  constructor(private readonly blocks: AsyncGenerator<PartBlock, PartLosses>) {}

  get database(): number {
    return this.block?.database ?? Number.POSITIVE_INFINITY;
  }

  async next(): Promise<void> {
    const { done, value } = await this.blocks.next();
    this.block = done === true ? null : value;
    if (done === true) this.losses = value;
  }

  async close(): Promise<void> {
    await this.blocks.return(this.losses);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}
