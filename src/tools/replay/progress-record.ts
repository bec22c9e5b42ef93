import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { errorCode, localDisk } from '../../bytes/disk.js';
import { inputErrorOf } from '../../bytes/source.js';
import { readFile } from '../../bytes/system.js';
import { FileTarget, outputErrorOf } from '../../bytes/target.js';
import { UsageError } from '../../errors.js';

/** How far keys have got into a target. */
export interface TransferProgress {
  /** All keys before this number are in. */
  readonly done: number;
  /** No key from this number on was ever sent: those between may be in. */
  readonly bound: number;
}

/** Where progress is kept between runs. */
export interface ProgressStore {
  /** How messages name it. */
  readonly label: string;
  /** Null when there is none. */
  read(): Promise<string | null>;
  write(text: string): Promise<void>;
  remove(): Promise<void>;
}

/** What is transferred. */
export interface TransferIdentity {
  /** Of source, cut, filters and number of keys: see `identityOf`. */
  readonly identity: string;
  /** Of the keys; null when nobody computed it. */
  readonly digest: string | null;
}

/** Remembers the progress of one transfer, told apart from all others by what goes where. */
export class ProgressRecord {
  constructor(
    private readonly store: ProgressStore,
    private readonly what: TransferIdentity,
  ) {}

  get label(): string {
    return this.store.label;
  }

  /** Where an earlier run got to; null when there was none. @throws UsageError when it was of something else */
  async load(): Promise<TransferProgress | null> {
    const text = await this.store.read();
    if (text === null) return null;
    const record = parsed(text);
    if (record === null) {
      throw new UsageError(
        `--resume: ${this.label} holds no progress of a transfer`,
        'give another place: nothing that stands there is overwritten',
      );
    }
    const { identity, digest } = this.what;
    const other = digest !== null && record.digest !== null && digest !== record.digest;
    if (record.identity !== identity || other) {
      throw new UsageError(
        `--resume: the progress in ${this.label} is of another transfer (${record.done} keys were in)`,
        'give the same source, point in time and filters as then, or another place to begin anew',
      );
    }
    return record;
  }

  save({ done, bound }: TransferProgress): Promise<void> {
    return this.store.write(`${JSON.stringify({ rekindle: 'transfer', done, bound, ...this.what })}\n`);
  }

  /** All is in. */
  finish(): Promise<void> {
    return this.store.remove();
  }
}

function parsed(text: string): (TransferProgress & TransferIdentity) | null {
  try {
    const { rekindle, done, bound, identity, digest } = JSON.parse(text) as Record<string, unknown>;
    if (rekindle !== 'transfer' || typeof identity !== 'string') return null;
    if (!Number.isSafeInteger(done) || !Number.isSafeInteger(bound)) return null;
    return {
      done: done as number,
      bound: bound as number,
      identity,
      digest: typeof digest === 'string' ? digest : null,
    };
  } catch {
    return null;
  }
}

/** One line for what makes two transfers the same; any difference makes another. */
export function identityOf(parts: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(parts, (_, value: unknown) => {
    if (value instanceof Map || value instanceof Set) return [...value];
    return value instanceof RegExp ? String(value) : value;
  });
  return createHash('sha256').update(text).digest('hex');
}

/** Progress in a file, replaced as a whole each time. */
export class ProgressFile implements ProgressStore {
  constructor(private readonly path: string) {}

  get label(): string {
    return this.path;
  }

  async read(): Promise<string | null> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw inputErrorOf(error, this.path);
    }
  }

  async write(text: string): Promise<void> {
    const target = await FileTarget.create(this.path, { force: true });
    try {
      target.write(Buffer.from(text));
      await target.publish();
    } finally {
      await target.discard();
    }
  }

  async remove(): Promise<void> {
    try {
      await localDisk.unlink(this.path);
      // One that came back would have the next run begin where this one ended.
      await localDisk.syncDirectory(dirname(this.path));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw outputErrorOf(error, this.path);
    }
  }
}
