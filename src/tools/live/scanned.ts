import { PipeSource } from '../../bytes/pipe.js';
import type { ByteSource } from '../../bytes/source.js';
import type { ByteTarget } from '../../bytes/target.js';
import { type ConnectionSettings, isReplyError, type Reply } from '../../live/connection.js';
import type { ServerFacts } from '../../live/facts.js';
import { asInputError } from '../../live/input-error.js';
import { QuestionChannel } from '../../live/questions.js';
import { PayloadFile } from '../../rdb/payload-file.js';
import { productOf, releaseOf, type Server, TODAY } from '../family.js';
import { targetOf } from '../target-choice.js';
import { DumpReader } from './by-dump.js';
import { expiryQuestionOf } from './expiry.js';
import { databasesOf, KeyScan } from './scan.js';
import { SeenNames } from './seen-names.js';

/** What must be written into files that have no key to tell it. */
const OLDEST_VERSION = 9;

export interface ScanOptions {
  /** Told what is not read, and why. */
  readonly remark: (what: string, why: string) => void;
  /** How errors name a key (one character per byte). */
  readonly shown: (name: string) => string;
}

/** A server's keys by SCAN, put together to an RDB as they come. Opens once. */
export function scannedSource(
  settings: ConnectionSettings,
  facts: ServerFacts | null,
  live: ScanOptions,
): ByteSource {
  const { label } = settings.address;
  return new PipeSource(label, async (into, signal) => {
    try {
      await new Scanning(facts, live, into, signal).run([settings]);
    } catch (error) {
      throw asInputError(error, label);
    }
  });
}

class Scanning {
  private readonly seen = new SeenNames();
  private readonly server: Server;

  constructor(
    private readonly facts: ServerFacts | null,
    private readonly live: ScanOptions,
    private readonly into: ByteTarget,
    private readonly signal: AbortSignal,
  ) {
    this.server = facts ?? TODAY;
  }

  async run(nodes: readonly ConnectionSettings[]): Promise<void> {
    const { server, into } = this;
    const file = new PayloadFile(into, {
      product: productOf(server),
      version: server.version,
      nowSeconds: Math.floor(Date.now() / 1000),
    });
    for (const [i, node] of nodes.entries()) {
      const connection = await QuestionChannel.open(node);
      try {
        // Every master has the same libraries.
        if (i === 0) for (const code of await this.libraries(connection)) file.library(code);
        await this.scan(connection, node, file);
      } finally {
        connection.close();
      }
    }
    file.finish(targetOf(server)?.version ?? OLDEST_VERSION);
    await into.drain();
  }

  private async scan(
    connection: QuestionChannel,
    { address }: ConnectionSettings,
    file: PayloadFile,
  ): Promise<void> {
    const { facts, into, live, signal, seen, server } = this;
    const databases = address.database === null ? await databasesOf(connection, facts) : [address.database];
    const reader = new DumpReader(connection, expiryQuestionOf(releaseOf(server)), file, live.shown);
    await new KeyScan(connection, seen, signal).run(databases, async (database, names) => {
      const bytes = await reader.read(database, names);
      if (into.full) await into.drain();
      return bytes;
    });
  }

  /** Sources of the function libraries; servers before 7.0 have none. */
  private async libraries(connection: QuestionChannel): Promise<readonly Buffer[]> {
    if (releaseOf(this.server) < 700) return [];
    const [list] = await connection.ask([['FUNCTION', 'LIST', 'WITHCODE']]);
    if (isReplyError(list)) {
      this.live.remark('function libraries', `it answered ${list.message}`);
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
