import { NO_CUT } from '../aof/cut.js';
import { END } from '../bytes/window.js';
import { Engine } from '../keyspace/engine.js';
import { Keyspace } from '../keyspace/keyspace.js';
import { KeyspaceLoader } from '../keyspace/load.js';
import { APPLIED, FAILED } from '../keyspace/outcome.js';
import { Walk } from '../keyspace/walk.js';
import { digestFamilyOf } from '../model/digest.js';
import type { KeyRecord } from '../model/value.js';
import { ValueCollector } from '../model/value-collector.js';
import { CommandSpans } from '../resp/command.js';
import type { ToolContext } from './context.js';
import { type DigestReport, digestKeyspace } from './digest.js';
import { productOf, releaseOf, type Server, TODAY } from './family.js';
import { EVERY_KEY } from './filter.js';
import { rebuild } from './rebuild.js';
import { asLog, type Source } from './source.js';
import { targetOf } from './target-choice.js';
import { RecordTeller } from './tell-record.js';
import { assertForm, type OutputRequest, OutputSlot, type WrittenOutput } from './write-dataset.js';

/** What came of a command. `refused`: a server would answer with an error; nothing changed. */
export interface Executed {
  readonly outcome: 'applied' | 'refused' | 'unknown';
  /** In a server's words; null when the command was applied. */
  readonly error: string | null;
}

/**
 * A dataset in memory, with the commands of a server that change it. Nothing expires by itself: keys past their TTL stay
 * until a command deletes them, as they do while a server loads a log.
 */
export class Dataset {
  private readonly keyspace: Keyspace;
  private readonly engine: Engine;

  private constructor(
    keyspace: Keyspace,
    /** The server whose rules hold. */
    readonly server: Server,
    private readonly context: ToolContext,
  ) {
    this.keyspace = keyspace;
    const { scoreText } = digestFamilyOf(server.product, server.version);
    this.engine = new Engine(keyspace, {
      nowMs: context.nowMs,
      scoreText,
      release: releaseOf(server),
      product: productOf(server),
    });
  }

  /** An empty dataset. */
  static empty(context: ToolContext, server: Server = TODAY): Dataset {
    return new Dataset(new Keyspace(), server, context);
  }

  /**
   * Loads an RDB, or executes a log to its end.
   *
   * @throws DamageError when the source is damaged or holds a command the engine does not know
   */
  static async load(source: Source, context: ToolContext): Promise<Dataset> {
    const options = { cut: NO_CUT, as: null, onUnknown: 'stop', dialect: null } as const;
    const { keyspace, producer } = await rebuild(await asLog(source), options, context);
    return new Dataset(keyspace, producer ?? TODAY, context);
  }

  /** Keys in all databases. */
  get size(): number {
    return this.keyspace.size;
  }

  /** Numbers of the databases that hold keys, ascending. */
  get databases(): readonly number[] {
    return this.keyspace.indexes();
  }

  /** Executes one command in the selected database; texts are taken as UTF-8. */
  execute(...args: readonly (string | Uint8Array)[]): Executed {
    const command = CommandSpans.of(...args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg)));
    const outcome = this.engine.execute(command);
    if (outcome === APPLIED) return { outcome: 'applied', error: null };
    return { outcome: outcome === FAILED ? 'refused' : 'unknown', error: this.engine.lastError };
  }

  /** Puts records in; a key that is there already is replaced. */
  add(records: Iterable<KeyRecord>): void {
    const loader = new KeyspaceLoader(this.keyspace);
    const teller = new RecordTeller(loader);
    for (const record of records) teller.tell(record);
  }

  /** Every key as a record of its own. The dataset must not change while the loop runs. */
  *records(): Generator<KeyRecord, void, void> {
    const collected: KeyRecord[] = [];
    const walk = new Walk(this.keyspace, new OneByOne((record) => collected.push(record)));
    for (;;) {
      const progress = walk.run();
      yield* collected.splice(0);
      if (progress === END) return;
    }
  }

  /** What DEBUG DIGEST prints for it, on its own server or on `as`. */
  digest(as: Server | null = null): Promise<DigestReport> {
    const options = { as, conditions: EVERY_KEY, dialect: null, keys: null };
    return digestKeyspace({ keyspace: this.keyspace, producer: this.server }, options, this.context);
  }

  /**
   * Writes it out, whole or not at all.
   *
   * @throws UsageError when something stands there and `force` is not given, OutputError when writing fails
   */
  async write(request: OutputRequest, server: Server | null = null): Promise<WrittenOutput> {
    const target = targetOf(server ?? this.server) ?? targetOf(TODAY)!;
    assertForm(request.form, target);
    const slot = await OutputSlot.take(request);
    try {
      return await slot.write(this.keyspace, { target, filename: 'appendonly.aof' }, this.context);
    } finally {
      await slot.close();
    }
  }
}

/** Pauses the walk after every key. */
class OneByOne extends ValueCollector {
  readonly full = true;
}
