import type { ByteTarget } from '../../bytes/target.js';
import { CommandEmitter } from '../../keyspace/emit.js';
import { libraryName } from '../../keyspace/library.js';
import type { KeyHead } from '../../model/handler.js';
import type { RdbTarget } from '../../rdb/writer-target.js';
import { RespEncoder } from '../../resp/encoder.js';
import type { Loss } from '../write-dataset.js';

/** Writes the commands that turn one dataset into another: what goes first, then what comes, then TTLs alone. */
export class PatchWriter {
  readonly emitter: CommandEmitter;
  readonly lost: Loss[] = [];
  private readonly functions: boolean;
  private readonly encoder = new RespEncoder();
  private selected = -1;

  constructor(
    private readonly into: ByteTarget,
    target: RdbTarget,
    /** The clock of who is to run it. */
    nowMs: number,
  ) {
    this.functions = target.functions;
    this.emitter = new CommandEmitter(into, {
      target,
      nowMs,
      onLoss: (head, what) =>
        this.lost.push({ database: head?.database ?? null, key: head?.key.latin1() ?? null, what }),
    });
  }

  private command(...args: (string | Buffer)[]): void {
    const { encoder } = this;
    encoder.clear();
    encoder.command(...args);
    this.into.write(encoder.view());
  }

  private select(database: number): void {
    if (database === this.selected) return;
    this.selected = database;
    this.command('SELECT', String(database));
  }

  remove(head: KeyHead): void {
    this.select(head.database);
    this.command('DEL', head.key.copy());
  }

  /** The other time of a key whose value stays. */
  expire(head: KeyHead): void {
    this.select(head.database);
    if (head.hasExpiry) this.command('PEXPIREAT', head.key.copy(), String(head.expiresAtMs));
    else this.command('PERSIST', head.key.copy());
  }

  removeLibrary(code: Buffer): void {
    const name = libraryName(code);
    if (name !== null && this.functions) this.command('FUNCTION', 'DELETE', name);
  }

  addLibrary(code: Buffer): void {
    if (this.functions) this.command('FUNCTION', 'LOAD', 'REPLACE', code);
    else this.lost.push({ database: null, key: null, what: 'function' });
  }

  get full(): boolean {
    return this.into.full;
  }

  drain(): Promise<void> {
    return this.into.drain();
  }

  /** After the emitter has written, the database that is selected is not known here. */
  forgetDatabase(): void {
    this.emitter.finish();
    this.selected = -1;
  }
}
