import { PipeSource } from '../../bytes/pipe.js';
import { ByteSlice } from '../../bytes/slice.js';
import type { ByteSource } from '../../bytes/source.js';
import type { ByteTarget } from '../../bytes/target.js';
import { type ConnectionSettings, isReplyError, type Reply } from '../../live/connection.js';
import type { ServerFacts } from '../../live/facts.js';
import { asInputError } from '../../live/input-error.js';
import { QuestionChannel } from '../../live/questions.js';
import { PayloadFile } from '../../rdb/payload-file.js';
import { RdbWriter } from '../../rdb/writer.js';
import { RDB_TARGETS, type RdbTarget } from '../../rdb/writer-target.js';
import { productOf, releaseOf, type Server, TODAY } from '../family.js';
import { targetOf } from '../target-choice.js';
import { RecordTeller } from '../tell-record.js';
import { DumpReader } from './by-dump.js';
import { TypeReader, TypeRemarks } from './by-type.js';
import { expiryQuestionOf } from './expiry.js';
import { type BatchReader, databasesOf, KeyScan } from './scan.js';
import { SeenNames } from './seen-names.js';

export interface ScanOptions {
  readonly via: 'dump' | 'type';
  /** Told what is not read, and why. */
  readonly remark: (what: string, why: string) => void;
  /** How errors name a key (one character per byte). */
  readonly shown: (name: string) => string;
}

/** The keys of one server, or of the masters of a cluster, by SCAN, put together to an RDB as they come. Opens once. */
export function scannedSource(
  label: string,
  nodes: readonly ConnectionSettings[],
  facts: ServerFacts | null,
  options: ScanOptions,
): ByteSource {
  return new PipeSource(label, async (into, signal) => {
    try {
      await new Scanning(facts, options, into, signal).run(nodes);
    } catch (error) {
      throw asInputError(error, label);
    }
  });
}

/** What keys are put together with. */
interface KeyFile {
  library(code: Buffer): void;
  reader(channel: QuestionChannel): BatchReader;
  finish(): void;
}

class Scanning {
  private readonly seen = new SeenNames();
  private readonly server: Server;
  private readonly target: RdbTarget;

  constructor(
    private readonly facts: ServerFacts | null,
    private readonly options: ScanOptions,
    private readonly into: ByteTarget,
    private readonly signal: AbortSignal,
  ) {
    this.server = facts ?? TODAY;
    this.target = targetOf(this.server) ?? RDB_TARGETS.get('redis-7.2')!;
  }

  async run(nodes: readonly ConnectionSettings[]): Promise<void> {
    const { into, options } = this;
    const file = options.via === 'dump' ? this.payloadFile() : this.recordFile();
    for (const [i, node] of nodes.entries()) {
      const channel = await QuestionChannel.open(node, this.facts?.isCluster === true);
      const abort = () => channel.fail(this.signal.reason as Error);
      this.signal.addEventListener('abort', abort, { once: true });
      try {
        // Every master has the same libraries.
        if (i === 0) for (const code of await this.libraries(channel)) file.library(code);
        await this.scan(channel, node, file);
      } finally {
        this.signal.removeEventListener('abort', abort);
        channel.close();
      }
    }
    file.finish();
    await into.drain();
  }

  private async scan(
    channel: QuestionChannel,
    { address }: ConnectionSettings,
    file: KeyFile,
  ): Promise<void> {
    const { facts, into, signal, seen } = this;
    const databases = address.database === null ? await databasesOf(channel, facts) : [address.database];
    const read = file.reader(channel);
    await new KeyScan(channel, seen, signal).run(databases, async (database, names) => {
      const bytes = await read(database, names);
      if (into.full) await into.drain();
      return bytes;
    });
  }

  private payloadFile(): KeyFile {
    const { server, into, options, target } = this;
    const expiry = expiryQuestionOf(releaseOf(server));
    const file = new PayloadFile(into, {
      product: productOf(server),
      version: server.version,
      nowSeconds: Math.floor(Date.now() / 1000),
    });
    return {
      library: (code) => file.library(code),
      reader: (channel) => {
        const reader = new DumpReader(channel, expiry, file, options.shown);
        return (database, names) => reader.read(database, names);
      },
      finish: () => file.finish(target.version),
    };
  }

  private recordFile(): KeyFile {
    const { server, into, options, target } = this;
    const losses = new Map<string, number>();
    const writer = new RdbWriter(into, {
      target,
      compress: true,
      checksum: true,
      copyValues: false,
      aofBase: false,
      nowSeconds: Math.floor(Date.now() / 1000),
      onLoss: (_head, what) => losses.set(what, (losses.get(what) ?? 0) + 1),
    });
    const teller = new RecordTeller(writer);
    const remarks = new TypeRemarks();
    return {
      library: (code) => writer.functionLibrary(new ByteSlice().set(code, 0, code.length)),
      reader: (channel) => {
        const reader = new TypeReader(
          channel,
          {
            expiry: expiryQuestionOf(releaseOf(server)),
            fieldTtls: target.fieldExpiry !== 'none',
            teller,
            shown: options.shown,
          },
          remarks,
        );
        return (database, names) => reader.read(database, names);
      },
      finish: () => {
        writer.finish();
        this.tellRemarks(remarks, losses);
      },
    };
  }

  private tellRemarks(remarks: TypeRemarks, losses: ReadonlyMap<string, number>): void {
    const { remark } = this.options;
    for (const [type, { count, first }] of remarks.unreadable) {
      remark(
        `${count} keys of type ${type}`,
        `only DUMP tells them, which it refuses; the first is ${first}`,
      );
    }
    for (const [what, count] of remarks.untold) remark(what, `in ${count} streams: XINFO does not tell`);
    for (const [what, count] of losses)
      remark(`${what} of ${count} keys`, `${this.target.name} has no place`);
    if (remarks.pieces === 0) return;
    remark(
      'that large values are of one moment',
      `${remarks.pieces} of them were read in pieces, between which they may have changed`,
    );
  }

  /** Sources of the function libraries; servers before 7.0 have none. */
  private async libraries(channel: QuestionChannel): Promise<readonly Buffer[]> {
    if (releaseOf(this.server) < 700) return [];
    const [list] = await channel.ask([['FUNCTION', 'LIST', 'WITHCODE']]);
    if (isReplyError(list)) {
      this.options.remark('function libraries', `it answered ${list.message}`);
      return [];
    }
    if (!Array.isArray(list)) return [];
    return (list as readonly Reply[]).flatMap((library) => {
      const fields = Array.isArray(library) ? (library as readonly Reply[]) : [];
      const at = fields.findIndex(
        (field) => Buffer.isBuffer(field) && field.latin1Slice() === 'library_code',
      );
      const code = at < 0 ? null : fields[at + 1];
      return Buffer.isBuffer(code) ? [code] : [];
    });
  }
}
