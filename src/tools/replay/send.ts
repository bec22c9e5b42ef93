import { MemoryTarget } from '../../bytes/target.js';
import { OutputError, UsageError } from '../../errors.js';
import type { ServerAddress } from '../../live/address.js';
import type { ReplyTaker } from '../../live/channel.js';
import { ClusterConnection } from '../../live/cluster.js';
import {
  type ConnectionSettings,
  connectionSettings,
  type TlsFiles,
  withConnection,
} from '../../live/connection.js';
import { factsOf, type ServerFacts } from '../../live/facts.js';
import { replyErrorOf } from '../../live/failure.js';
import { RestoreWriter } from '../../live/key-writer.js';
import type { KeyHead } from '../../model/handler.js';
import type { RdbTarget } from '../../rdb/writer-target.js';
import type { ToolContext } from '../context.js';
import { releaseOf } from '../family.js';
import { oldestTarget, targetOf } from '../target-choice.js';
import { LOSSES_LISTED, type Loss } from '../write-dataset.js';
import { type FunctionsSent, sendFunctions } from './functions.js';
import { type LaneOptions, Lanes, ReplyFailure } from './lanes.js';
import { type NamedKey, namesOf, since } from './names.js';
import { KeyNumbers, presentKeys } from './present.js';
import { ProgressKey } from './progress-key.js';
import {
  ProgressFile,
  ProgressRecord,
  type ProgressStore,
  type TransferIdentity,
  type TransferProgress,
} from './progress-record.js';
import { Pacer, type RateLimit } from './rate.js';
import type { Selection } from './selection.js';
import { Transfer } from './transfer.js';

/** A live server as the place for a dataset. */
export interface SendRequest {
  readonly address: ServerAddress;
  readonly tls: TlsFiles;
  /** What becomes of keys that the target has already: nothing is written at all, they stay, or they are replaced. */
  readonly existing: 'refuse' | 'keep' | 'replace';
  readonly rate: RateLimit;
  /** Where progress is kept, so that another run goes on from there: a file, or `key:NAME` in the target. */
  readonly resume: string | null;
  /** Write the commands of a rewrite even where the target takes payloads. */
  readonly asCommands: boolean;
  /** The server it is to be written for; null: the one that the target says it is. */
  readonly target: RdbTarget | null;
  /** Take no key when the target has no place for something. */
  readonly refuseLoss: boolean;
  /** How errors name a key (one character per byte). */
  readonly nameKey: (key: string) => string;
}

/** What became of a transfer. */
export interface SendReport {
  /** The address without user and password. */
  readonly label: string;
  /** `redis-7.0.15`. */
  readonly server: string;
  /** True when it has no place for something and that is not allowed: nothing was written. */
  readonly refused: boolean;
  /** Masters that keys went to. */
  readonly nodes: number;
  /** Keys written in this run; those that were past their time are dropped by the server. */
  readonly written: number;
  /** Keys that an earlier run had written. */
  readonly resumed: number;
  /** Keys that were in the target and stayed as they were: how many, and the first of them. */
  readonly kept: number;
  readonly keptKeys: readonly NamedKey[];
  /** Of those, keys that came to be there only while others were being written. */
  readonly surprises: number;
  /** Keys that are past their TTL at the clock of the context. */
  readonly expired: number;
  /** Function libraries that were loaded, and those that stayed as they were. */
  readonly functions: number;
  readonly functionsKept: number;
  readonly bytes: number;
  readonly lost: readonly Loss[];
  readonly lostCount: number;
}

const KEYS_LISTED = 1000;
const CONFLICTS_SHOWN = 3;

/** A target that was asked what it is, and takes what comes. */
export class SendTarget {
  private constructor(
    private readonly request: SendRequest,
    private readonly settings: ConnectionSettings,
    private readonly facts: ServerFacts,
    private readonly target: RdbTarget,
  ) {}

  /** Before the work begins: a target that refuses is found out first. @throws OutputError InputError */
  static async probe(request: SendRequest): Promise<SendTarget> {
    const settings = await connectionSettings(request.address, request.tls);
    const facts = await withConnection(settings, factsOf);
    const { label } = request.address;
    if (facts.loading) throw replyErrorOf('LOADING', label, '');
    const target =
      request.target ?? targetOf(facts) ?? oldestTarget({ fromManifest: false, fieldTtls: false });
    return new SendTarget(request, settings, facts, target);
  }

  /** Puts the selection into the target. @throws UsageError for keys in the way, OutputError when it fails */
  async send(selection: Selection, what: TransferIdentity, context: ToolContext): Promise<SendReport> {
    const { facts } = this;
    const cluster = facts.isCluster ? await ClusterConnection.open(this.settings) : null;
    try {
      return await new Sending(
        this.request,
        this.settings,
        facts,
        this.target,
        cluster,
        selection,
        context,
      ).run(what);
    } finally {
      cluster?.close();
    }
  }
}

class Sending {
  private readonly lost: Loss[] = [];
  private lostCount = 0;
  private readonly keys: number;
  private readonly laneOptions: LaneOptions;

  constructor(
    private readonly request: SendRequest,
    private readonly settings: ConnectionSettings,
    private readonly facts: ServerFacts,
    private readonly target: RdbTarget,
    private readonly cluster: ClusterConnection | null,
    private readonly selection: Selection,
    private readonly context: ToolContext,
  ) {
    this.keys = selection.inventory.total.keys;
    const release = releaseOf(facts);
    this.laneOptions = {
      target,
      replace: request.existing === 'replace',
      // A cluster takes no keys of several slots in one command.
      batches: cluster === null,
      setsExpiry: release >= 602,
      // RESTORE takes an absolute time from 5.0 on.
      asCommands: request.asCommands || release < 500,
      onLoss: (head, what) => {
        if (++this.lostCount > LOSSES_LISTED) return;
        this.lost.push({ database: head?.database ?? null, key: head?.key.latin1() ?? null, what });
      },
    };
  }

  async run(what: TransferIdentity): Promise<SendReport> {
    this.checkDatabases();
    const store = this.store();
    const record = store === null ? null : new ProgressRecord(store, what);
    try {
      const resumed = (await record?.load()) ?? null;
      const kept = await this.lookAround(resumed);
      if (this.request.refuseLoss) await this.rehearse();
      const refused = this.request.refuseLoss && this.lostCount > 0;
      const functions = refused ? { loaded: 0, kept: 0 } : await this.functions();
      const transfer = this.transfer(resumed, kept, record);
      if (!refused) await this.carry(transfer, record);
      return { refused, ...(await this.report(transfer, resumed, kept, functions)) };
    } finally {
      await store?.close();
    }
  }

  /** @throws UsageError when keys would have to share a database, or go where a cluster has none */
  private checkDatabases(): void {
    const { address } = this.request;
    const used = [...this.selection.inventory.databases].filter(([, { keys }]) => keys > 0).map(([db]) => db);
    if (address.database !== null && used.length > 1) {
      throw new UsageError(
        `--target names database ${address.database}, and the keys are in databases ${used.join(', ')}`,
        'choose one with --db, or leave the number out: then each key goes to its own',
      );
    }
    const beyond = used.filter((db) => this.databaseOf(db) !== 0);
    if (this.cluster === null || beyond.length === 0) return;
    throw new UsageError(
      `a cluster has database 0 alone, and there are keys in database ${beyond.join(', ')}`,
      'choose one database with --db, and name it 0 with /0 behind the address',
    );
  }

  private databaseOf(database: number): number {
    return this.request.address.database ?? database;
  }

  private readonly databaseOfHead = ({ database }: KeyHead): number => this.databaseOf(database);

  private store(): (ProgressStore & { close(): Promise<void> }) | null {
    const { resume, address } = this.request;
    if (resume === null) return null;
    const name = /^key:(.+)$/s.exec(resume)?.[1];
    if (name === undefined)
      return Object.assign(new ProgressFile(resume), { close: () => Promise.resolve() });
    return new ProgressKey(name, address.database ?? 0, this.settings, this.cluster);
  }

  /** Looks which keys the target has. @throws UsageError when they may be neither kept nor replaced */
  private async lookAround(resumed: TransferProgress | null): Promise<KeyNumbers | null> {
    const { existing } = this.request;
    const { asCommands } = this.laneOptions;
    if (existing === 'replace' || (await this.isEmpty())) return null;
    const present = await this.ask((taker) =>
      presentKeys({
        selection: this.selection,
        keys: this.keys,
        // A payload is refused where its key is; commands would be added to it.
        from: resumed === null ? 0 : asCommands ? resumed.done : resumed.bound,
        cluster: this.cluster,
        databaseOf: this.databaseOfHead,
        open: taker,
      }),
    );
    if (existing === 'keep' || present.count === 0) return present;
    const conflicts =
      resumed === null ? present : since(present, resumed.bound, this.keys, new KeyNumbers(this.keys));
    if (conflicts.count > 0) throw await this.conflict(conflicts);
    return present;
  }

  private ask<T>(body: (open: (taker: ReplyTaker) => Promise<Lanes>) => Promise<T>): Promise<T> {
    return this.wording(() => body((taker) => this.open(taker)), null);
  }

  private open(taker: ReplyTaker): Promise<Lanes> {
    return Lanes.open(this.settings, this.cluster, this.laneOptions, taker);
  }

  /** Whether no database that keys go to has any: then there is nothing to ask. */
  private async isEmpty(): Promise<boolean> {
    if (this.cluster !== null) return false;
    const { keys } = await withConnection(this.settings, factsOf);
    for (const [database] of this.selection.inventory.databases) {
      if ((keys.get(this.databaseOf(database)) ?? 0) > 0) return false;
    }
    return true;
  }

  private async conflict(present: KeyNumbers): Promise<UsageError> {
    const { label } = this.request.address;
    const names = await namesOf(this.selection, present, CONFLICTS_SHOWN);
    const shown = names.map(({ database, key }) => {
      const name = this.request.nameKey(key);
      return database === 0 ? name : `${name} (database ${database})`;
    });
    const more = present.count > shown.length ? `, and ${present.count - shown.length} more` : '';
    return new UsageError(
      `${label} already has ${present.count} of the ${this.keys} keys: ${shown.join(', ')}${more}; nothing was written`,
      'give --keep-existing to bring back only the others, or --replace to overwrite these',
    );
  }

  private async functions(): Promise<FunctionsSent> {
    const sources = this.selection.functions();
    if (sources.length === 0) return { loaded: 0, kept: 0 };
    if (!this.target.functions) {
      for (const _ of sources) this.laneOptions.onLoss(null, 'function');
      return { loaded: 0, kept: 0 };
    }
    const map = await this.cluster?.map();
    const places = map?.masters.map((master) => this.cluster!.settingsOf(master)) ?? [this.settings];
    const { existing } = this.request;
    let done: FunctionsSent = { loaded: 0, kept: 0 };
    for (const place of places) {
      done = await withConnection(place, (connection) => sendFunctions(connection, sources, existing));
    }
    return done;
  }

  /** Makes all commands and sends none: what is lost is known then. */
  private async rehearse(): Promise<void> {
    const sink = Object.assign(new MemoryTarget(), { write: () => {}, expect: () => {} });
    await this.selection.tell(new RestoreWriter(sink, this.laneOptions), () => Promise.resolve());
    if (!this.target.functions)
      for (const _ of this.selection.functions()) this.laneOptions.onLoss(null, 'function');
  }

  private transfer(
    resumed: TransferProgress | null,
    kept: KeyNumbers | null,
    record: ProgressRecord | null,
  ): Transfer {
    const { request, context, keys } = this;
    return new Transfer({
      ...{ selection: this.selection, keys, resumed, kept, record },
      pacer: new Pacer(request.rate),
      databaseOf: this.databaseOfHead,
      lanes: (taker) => this.open(taker),
      laneOptions: this.laneOptions,
      cluster: this.cluster,
      signal: context.signal,
      progress: (done) =>
        context.progress({
          phase: 'sending to',
          label: request.address.label,
          done,
          total: keys,
          unit: 'keys',
        }),
    });
  }

  private async carry(transfer: Transfer, record: ProgressRecord | null): Promise<void> {
    await this.wording(() => transfer.run(), transfer, record);
    await record?.finish();
  }

  /** Turns what a target refuses into words: the key, how far it got, what to do. */
  private async wording<T>(
    body: () => Promise<T>,
    transfer: Transfer | null,
    record: ProgressRecord | null = null,
  ): Promise<T> {
    try {
      return await body();
    } catch (error) {
      const { label } = this.request.address;
      const failure =
        error instanceof ReplyFailure
          ? replyErrorOf(error.reply, label, await this.keyText(error.ticket))
          : error;
      if (!(failure instanceof OutputError) || transfer === null) throw failure;
      const { acknowledged } = transfer;
      const { master } = this.facts;
      const elsewhere = master === null || !failure.hint.includes('master') ? '' : ` (${master})`;
      const far = `${acknowledged} of ${this.keys} keys are in`;
      const on =
        record === null
          ? 'run it again with --keep-existing to go on'
          : `run it again with the same --resume to go on from there`;
      const hint = [failure.hint + elsewhere, on].filter((text) => text !== '').join('; then ');
      throw new OutputError(failure.path, `${failure.message}; ${far}`, hint);
    }
  }

  private async keyText(ticket: number): Promise<string> {
    if (ticket < 0) return '';
    const wanted = new KeyNumbers(this.keys);
    wanted.add(ticket);
    const [found] = await namesOf(this.selection, wanted, 1);
    if (found === undefined) return '';
    const name = this.request.nameKey(found.key);
    return found.database === 0 ? `key ${name}` : `key ${name} of database ${found.database}`;
  }

  private async report(
    transfer: Transfer,
    resumed: TransferProgress | null,
    kept: KeyNumbers | null,
    functions: FunctionsSent,
  ): Promise<Omit<SendReport, 'refused'>> {
    const stayed = new KeyNumbers(this.keys);
    const bound = this.laneOptions.asCommands ? (resumed?.bound ?? 0) : 0;
    let alreadyIn = transfer.alreadyIn;
    for (let number = 0; kept !== null && number < this.keys; number++) {
      if (!kept.has(number)) continue;
      if (number < bound) alreadyIn++;
      else stayed.add(number);
    }
    for (const number of transfer.surprises) stayed.add(number);
    return {
      label: this.request.address.label,
      server: `${this.facts.product}-${this.facts.version}`,
      nodes: this.cluster === null ? 1 : (await this.cluster.map()).masters.length,
      written: transfer.sent,
      resumed: (resumed?.done ?? 0) + alreadyIn,
      kept: stayed.count,
      keptKeys: await namesOf(this.selection, stayed, KEYS_LISTED),
      surprises: transfer.surprises.length,
      expired: this.selection.inventory.total.expired,
      functions: functions.loaded,
      functionsKept: functions.kept,
      bytes: transfer.bytes,
      lost: this.lost,
      lostCount: this.lostCount,
    };
  }
}
