import { SLOTS, slotOf } from '../../kernels/crc16.js';
import { CommandChannel, type ReplyTaker } from '../../live/channel.js';
import type { ClusterConnection } from '../../live/cluster.js';
import type { ConnectionSettings } from '../../live/connection.js';
import {
  type KeyWriter,
  type KeyWriterOptions,
  RestoreWriter,
  TransactionWriter,
} from '../../live/key-writer.js';
import type { KeyHead } from '../../model/handler.js';

/** A server that takes keys, and what turns keys into commands for it. */
export interface Lane {
  readonly channel: CommandChannel;
  readonly writer: KeyWriter;
}

export interface LaneOptions extends KeyWriterOptions {
  /** Write the commands of a rewrite rather than payloads. */
  readonly asCommands: boolean;
}

/** The servers of a target: one, or the masters of a cluster by slot. */
export class Lanes {
  private constructor(
    readonly all: readonly Lane[],
    /** By slot the place in `all`; null: there is but one. */
    private readonly owners: Int16Array | null,
  ) {}

  /** @throws OutputError when one of them cannot be reached */
  static async open(
    settings: ConnectionSettings,
    cluster: ClusterConnection | null,
    options: LaneOptions,
    taker: ReplyTaker,
  ): Promise<Lanes> {
    const map = await cluster?.map();
    const all: Lane[] = [];
    try {
      const places = map === undefined ? [settings] : map.masters.map((each) => cluster!.settingsOf(each));
      for (const place of places) {
        const channel = await CommandChannel.open(place, taker);
        all.push({ channel, writer: writerOf(channel, options) });
      }
    } catch (error) {
      for (const { channel } of all) channel.close();
      throw error;
    }
    return new Lanes(all, map?.owners ?? null);
  }

  /** The lane of a key. */
  of({ key }: KeyHead): Lane {
    const { all, owners } = this;
    return owners === null ? all[0]! : all[owners[slotOf(key.bytes, key.start, key.end) % SLOTS]!]!;
  }

  get full(): boolean {
    for (const { channel } of this.all) if (channel.full) return true;
    return false;
  }

  /** Bytes handed over so far. */
  get bytes(): number {
    return this.all.reduce((sum, { channel }) => sum + channel.size, 0);
  }

  /** Number of the first key that is not acknowledged; infinite when all are. */
  get oldest(): number {
    return Math.min(...this.all.map(({ channel }) => channel.oldest));
  }

  flush(): void {
    for (const { writer } of this.all) writer.flush();
  }

  /** Resolves when there is room again. @throws OutputError when a connection broke */
  async drain(): Promise<void> {
    this.flush();
    await Promise.all(this.all.map(({ channel }) => channel.drain()));
  }

  /** Resolves when every reply is here. @throws OutputError when a connection broke */
  async settle(): Promise<void> {
    this.flush();
    await Promise.all(this.all.map(({ channel }) => channel.settle()));
  }

  fail(error: Error): void {
    for (const { channel } of this.all) channel.fail(error);
  }

  close(): void {
    for (const { channel } of this.all) channel.close();
  }
}

/** What a master of a cluster answers when it is not the one, or not any more. */
export const MOVED = /^(MOVED|ASK|TRYAGAIN) /;

/** What a server refused; whoever knows which key the ticket is words it. */
export class ReplyFailure extends Error {
  override readonly name = 'ReplyFailure';

  constructor(
    readonly ticket: number,
    /** As the server words it. */
    readonly reply: string,
  ) {
    super(reply);
  }
}

function writerOf(channel: CommandChannel, options: LaneOptions): KeyWriter {
  return options.asCommands ? new TransactionWriter(channel, options) : new RestoreWriter(channel, options);
}
