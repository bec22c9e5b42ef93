import type { ClusterConnection } from '../../live/cluster.js';
import {
  type ConnectionSettings,
  isReplyError,
  type Reply,
  ServerConnection,
} from '../../live/connection.js';
import { replyErrorOf } from '../../live/failure.js';
import type { ProgressStore } from './progress-record.js';

/** Progress in a key of the target: what a target that crashes forgets of the keys it forgets of it, too. */
export class ProgressKey implements ProgressStore {
  private connection: ServerConnection | null = null;

  constructor(
    private readonly name: string,
    private readonly database: number,
    private readonly settings: ConnectionSettings,
    private readonly cluster: ClusterConnection | null,
  ) {}

  get label(): string {
    return `key ${this.name} of ${this.settings.address.label}`;
  }

  async read(): Promise<string | null> {
    const reply = await this.ask('GET', this.name);
    return Buffer.isBuffer(reply) ? reply.toString('utf8') : null;
  }

  async write(text: string): Promise<void> {
    await this.ask('SET', this.name, text);
  }

  async remove(): Promise<void> {
    await this.ask('DEL', this.name);
  }

  close(): Promise<void> {
    this.connection?.close();
    return Promise.resolve();
  }

  private async ask(...words: string[]): Promise<Reply> {
    try {
      if (this.cluster !== null) return (await this.cluster.send(words)) as Reply;
      return await (await this.connect()).ask(...words);
    } catch (error) {
      if (isReplyError(error)) throw replyErrorOf(error.message, this.settings.address.label, this.label);
      throw error;
    }
  }

  private async connect(): Promise<ServerConnection> {
    if (this.connection !== null) return this.connection;
    const made = await ServerConnection.open(this.settings);
    this.connection = made;
    if (this.database !== 0) await made.ask('SELECT', this.database);
    return made;
  }
}
