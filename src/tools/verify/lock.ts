import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { type Disk, errorCode } from '../../bytes/disk.js';
import { readdir, readFile } from '../../bytes/system.js';
import { outputErrorOf, stagingName } from '../../bytes/target.js';
import { OutputError } from '../../errors.js';

/** Who takes locks: a process, as far as others can tell it from another. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** Whether a process of this number runs on this machine. */
  isAlive(pid: number): boolean;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly sinceMs: number;
  /** From when on it counts as dead where nobody can look: on another machine. */
  readonly untilMs: number;
  readonly nonce: string;
}

/** Locks that guard the taking over of another, one above the other. */
const DEPTH = 3;
/** Times that taking is tried when others take and release meanwhile. */
const TRIES = 20;

/**
 * A file that one process holds at a time. That of a process that died is taken over: by one, however many try, since
 * only who holds the lock of that name with `.takeover` behind it may replace it.
 */
export class RunLock {
  /** Process that had died with it; null when it was free. */
  readonly tookOverFrom: number | null;

  private constructor(
    private readonly path: string,
    private readonly text: string,
    private readonly disk: Disk,
    tookOverFrom: number | null,
  ) {
    this.tookOverFrom = tookOverFrom;
  }

  /**
   * @param nowMs the running clock
   * @param maxMs for how long it can be held at most
   * @throws OutputError when another run holds it, or it cannot be written
   */
  static async take(
    path: string,
    owner: LockOwner,
    nowMs: number,
    maxMs: number,
    disk: Disk,
  ): Promise<RunLock> {
    try {
      const lock = await take(path, owner, nowMs, maxMs, disk, DEPTH);
      await sweep(path, owner, nowMs, disk);
      return lock;
    } catch (error) {
      throw outputErrorOf(error, path);
    }
  }

  /** Makes it with the parts that `take` has settled. */
  static held(path: string, text: string, disk: Disk, tookOverFrom: number | null): RunLock {
    HELD_HERE.add(holderOf(text)?.nonce ?? '');
    return new RunLock(path, text, disk, tookOverFrom);
  }

  /** Never throws: a lock that stays behind is taken over by the next run. */
  async release(): Promise<void> {
    const text = await readFile(this.path, 'utf8').catch(() => '');
    HELD_HERE.delete(holderOf(this.text)?.nonce ?? '');
    if (text === this.text) await this.disk.unlink(this.path).catch(() => {});
  }
}

async function take(
  path: string,
  owner: LockOwner,
  nowMs: number,
  maxMs: number,
  disk: Disk,
  depth: number,
): Promise<RunLock> {
  const holder: Holder = {
    pid: owner.pid,
    host: owner.host,
    sinceMs: nowMs,
    untilMs: nowMs + maxMs,
    nonce: randomBytes(8).toString('hex'),
  };
  const text = `${JSON.stringify(holder)}\n`;
  const staged = stagingName(path);
  await put(staged, text, disk);
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      // A link appears with its content or not at all, and fails when the name is taken.
      if (await settled(staged, path, text, disk)) return RunLock.held(path, text, disk, null);
      const found = await readFile(path, 'utf8').catch(() => null);
      if (found === null) continue;
      const other = holderOf(found);
      if (other !== null && !isDead(other, owner, nowMs)) throw held(path, other);
      if (depth === 0) throw new OutputError(path, 'is a lock that cannot be taken over', `remove ${path}`);
      const guard = await take(`${path}.takeover`, owner, nowMs, maxMs, disk, depth - 1);
      try {
        if ((await readFile(path, 'utf8').catch(() => null)) !== found) continue;
        await disk.rename(staged, path);
        return RunLock.held(path, text, disk, other?.pid ?? 0);
      } finally {
        await guard.release();
      }
    }
    throw new OutputError(path, 'others take and release this lock all the time', 'run this again');
  } finally {
    await disk.unlink(staged).catch(() => {});
  }
}

/** Removes what processes left that were killed while they tried. */
async function sweep(path: string, owner: LockOwner, nowMs: number, disk: Disk): Promise<void> {
  const directory = dirname(path);
  const stem = `${basename(path).slice(0, 50)}.partial-`;
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.startsWith(stem)) continue;
    const left = holderOf(await readFile(join(directory, name), 'utf8').catch(() => ''));
    // One of our own number may be of this very process, about to take another lock.
    if (left !== null && left.pid !== owner.pid && isDead(left, owner, nowMs))
      await disk.unlink(join(directory, name)).catch(() => {});
  }
}

async function put(path: string, text: string, disk: Disk): Promise<void> {
  const file = await disk.create(path, 0o644);
  try {
    try {
      await file.write(Buffer.from(text));
    } finally {
      await file.close();
    }
  } catch (error) {
    await disk.unlink(path).catch(() => {});
    throw error;
  }
}

async function settled(from: string, to: string, text: string, disk: Disk): Promise<boolean> {
  try {
    await disk.link(from, to).catch((error) => {
      if (!WITHOUT_LINKS.has(errorCode(error))) throw error;
      return put(to, text, disk);
    });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** What file systems say that have no second names. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Null when it is no lock of ours, or not all of one. */
function holderOf(text: string): Holder | null {
  try {
    const { pid, host, sinceMs, untilMs, nonce } = JSON.parse(text) as Record<string, unknown>;
    const isOurs = typeof pid === 'number' && typeof host === 'string' && typeof nonce === 'string';
    if (!isOurs || typeof sinceMs !== 'number' || typeof untilMs !== 'number') return null;
    return { pid, host, sinceMs, untilMs, nonce };
  } catch {
    return null;
  }
}

/** What has our number and is not ours is of one that died before, in a container that was started again. */
function isDead(other: Holder, owner: LockOwner, nowMs: number): boolean {
  if (other.host !== owner.host) return nowMs > other.untilMs;
  if (other.pid === owner.pid) return !HELD_HERE.has(other.nonce);
  return !owner.isAlive(other.pid);
}

/** Locks that this very process holds. */
const HELD_HERE = new Set<string>();

function held(path: string, { pid, host, sinceMs }: Holder): OutputError {
  const since = new Date(Math.min(Math.max(sinceMs, 0), 8e15))
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
  return new OutputError(
    path,
    `another verification is running: process ${pid} on ${host}, since ${since}`,
    'wait for it, or give --timeout so that a run that hangs ends by itself',
  );
}
