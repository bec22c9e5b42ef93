import { type FSWatcher, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ManifestEntry, parseManifest } from '../../aof/manifest.js';
import { type AofFileEntry, type AofSet, openAofSet } from '../../aof/set.js';
import { GrowingFile } from '../../bytes/growing-file.js';
import { inputErrorOf } from '../../bytes/source.js';
import { readFile, stat } from '../../bytes/system.js';
import { InputError } from '../../errors.js';
import type { LogFile } from './listener.js';

/** A rewrite lasts longer: no increment comes and goes unseen. */
const LOOK_EVERY_MS = 100;
/** Attempts at opening a set whose server rewrites it meanwhile. */
const OPENINGS_MAX = 20;
const OPEN_AGAIN_MS = 20;

/**
 * The files of a live log: those there are now, and then each increment that the server opens, for as long as it is
 * asked for more. All are held open, so that a rewrite that removes one does not matter.
 */
export class LogFollower {
  private readonly queue: LogFile[] = [];
  private readonly opened: GrowingFile[] = [];
  private last: GrowingFile | null = null;
  private lastSeq = 0;
  private seen = '';
  private failure: unknown = null;
  private wakeTaker: (() => void) | null = null;
  private watcher: FSWatcher | null = null;
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> | null = null;

  private constructor(
    private readonly path: string,
    private readonly isManifest: boolean,
  ) {}

  /**
   * Opens the files that a manifest names, or one log file.
   *
   * @throws InputError when a file can't be read, or the set never holds still
   */
  static async open(given: AofSet): Promise<{ follower: LogFollower; set: AofSet }> {
    const path = given.manifestPath ?? given.files[0]!.path;
    for (let attempt = 1; ; attempt++) {
      const follower = new LogFollower(path, given.manifestPath !== null);
      const set = await follower.openSet(given, attempt === OPENINGS_MAX);
      if (set !== null) {
        follower.start();
        return { follower, set };
      }
      await follower.close();
      await sleep(OPEN_AGAIN_MS);
    }
  }

  /** One after the other; waits for the next as long as the one before grows. */
  async *files(): AsyncGenerator<LogFile, void, void> {
    for (;;) {
      const next = this.queue.shift();
      if (next !== undefined) yield next;
      else if (this.failure !== null) throw this.failure;
      else await new Promise<void>((resolve) => (this.wakeTaker = resolve));
    }
  }

  async close(): Promise<void> {
    this.watcher?.close();
    if (this.timer !== null) clearInterval(this.timer);
    await this.looking?.catch(() => {});
    await Promise.all(this.opened.map((file) => file.close()));
  }

  /** Null when the server changed the set meanwhile; `isFinal`: what is wrong then is wrong for good. */
  private async openSet(given: AofSet, isFinal: boolean): Promise<AofSet | null> {
    try {
      const before = await this.look();
      const set = this.isManifest ? await openAofSet(this.path) : given;
      const files: AofFileEntry[] = [];
      for (const entry of set.files) files.push(await this.add(entry));
      const isStill = set.missing.length === 0 && (await this.look()) === before;
      this.seen = before;
      return isStill || isFinal ? { ...set, files } : null;
    } catch (error) {
      if (isFinal || !isRewritten(error)) throw error;
      return null;
    }
  }

  /** Opens a file behind those there are, which are complete then. */
  private async add(entry: AofFileEntry): Promise<AofFileEntry> {
    const file = await GrowingFile.at(entry.path);
    this.opened.push(file);
    this.last?.complete();
    this.last = file;
    this.lastSeq = Math.max(this.lastSeq, entry.role === 'incr' ? Number(entry.seq) : 0);
    const followed = { ...entry, source: file, size: file.presentBytes };
    this.queue.push({ entry: followed, isLast: false, presentBytes: null });
    return followed;
  }

  private start(): void {
    const last = this.queue.pop();
    if (last !== undefined) this.queue.push({ ...last, presentBytes: this.last!.presentBytes });
    try {
      this.watcher = watch(dirname(this.path), () => this.turn());
      this.watcher.on('error', () => this.watcher?.close());
    } catch {
      // Where directories cannot be watched, looking now and then is enough.
    }
    this.timer = setInterval(() => this.turn(), LOOK_EVERY_MS);
  }

  /** Something may have happened. */
  private turn(): void {
    this.last?.wake();
    this.looking ??= this.takeNew()
      .catch((error) => {
        this.failure ??= error;
        this.last?.complete();
        this.wakeTaker?.();
      })
      .finally(() => (this.looking = null));
  }

  /** What tells one state of the manifest, or of the file, from another. */
  private async look(): Promise<string> {
    try {
      const { ino, size, mtimeMs } = await stat(this.path);
      return this.isManifest ? `${ino}:${size}:${mtimeMs}` : `${ino}`;
    } catch (error) {
      throw inputErrorOf(error, this.path);
    }
  }

  private async takeNew(): Promise<void> {
    const now = await this.look();
    if (now === this.seen) return;
    if (!this.isManifest) throw replaced(this.path);
    const { increments, history } = parseManifest(await readFile(this.path));
    const isNew = ({ seq }: ManifestEntry) => Number(seq) > this.lastSeq;
    // What a rewrite has made history is still there for a while.
    const past = history.filter((entry) => isNew(entry) && /\.incr\.aof$/.test(entry.name));
    const entries = [...past, ...increments.filter(isNew)].sort((a, b) => Number(a.seq) - Number(b.seq));
    if (entries.length === 0 && !increments.some(({ seq }) => Number(seq) === this.lastSeq)) {
      throw replaced(this.path);
    }
    for (const entry of entries) await this.follow(entry);
    this.seen = now;
  }

  private async follow({ name: latin1, seq }: ManifestEntry): Promise<void> {
    const name = Buffer.from(latin1, 'latin1').toString('utf8');
    const expected = this.lastSeq + 1;
    const path = join(dirname(this.path), name);
    const common = { name, path, role: 'incr', seq, size: null, format: 'resp' } as const;
    if (Number(seq) !== expected && this.lastSeq > 0) throw missed(path, expected);
    try {
      await this.add({ ...common, source: { label: path, size: null, open: never } });
    } catch (error) {
      throw error instanceof InputError && error.code === 'input/missing' ? missed(path, expected) : error;
    }
    this.wakeTaker?.();
  }
}

/** True for what a rewrite does to whoever opens the files of its set. */
function isRewritten(error: unknown): boolean {
  return error instanceof InputError && (error.code === 'input/missing' || error.code === 'input/changed');
}

/** The source that stands in until the file is opened. */
const never = (): Promise<never> => Promise.reject(new Error('not opened yet'));

function replaced(path: string): InputError {
  return new InputError(
    'input/changed',
    path,
    'is another log now than the one that was followed',
    'run it again to follow the new one',
  );
}

function missed(path: string, seq: number): InputError {
  return new InputError(
    'input/changed',
    path,
    `came after an increment (number ${seq}) that was gone before it could be opened: its commands are missing`,
    'run it again; the machine may be too busy to follow a server that rewrites its log this often',
  );
}
