import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../../bytes/disk.js';

/** A process that may change what is to be repaired. */
export interface FileUser {
  readonly pid: number;
  /** As the system names the program. */
  readonly name: string;
  /** The file it has open for writing, or the directory it works in. */
  readonly path: string;
}

/** Who uses a dataset. */
export interface FileUsers {
  readonly users: readonly FileUser[];
  /** Servers that this user may not look into; they may or may not be the ones. */
  readonly unseen: readonly { readonly pid: number; readonly name: string }[];
  /** False where the system does not tell of processes. */
  readonly known: boolean;
}

/** Programs that write datasets. */
const SERVERS = /^(redis|valkey|keydb|dragonfly)(-server|-sentinel)?$/;

/**
 * Finds processes that have one of the files open for writing, and servers that have anything open in one of the
 * directories or work in it: a server without a log has its RDB open only while it saves. All paths are real ones.
 * `proc` is where the system tells of processes.
 */
export async function findUsers(
  files: readonly string[],
  directories: readonly string[],
  proc = '/proc',
): Promise<FileUsers> {
  const users: FileUser[] = [];
  const unseen: { pid: number; name: string }[] = [];
  let own: string;
  let pids: string[];
  try {
    own = basename(await readlink(join(proc, 'self')));
    pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
  } catch {
    return { users, unseen, known: false };
  }
  const wanted = new Set(files);
  const rooms = new Set(directories);
  const isInside = (path: string) => rooms.has(path) || rooms.has(dirname(path));
  for (const pid of pids) {
    if (pid === own) continue;
    const look = new Look(join(proc, pid), wanted, isInside);
    const path = await look.find();
    if (path !== null) users.push({ pid: Number(pid), name: look.name, path });
    else if (look.refused && look.isServer) unseen.push({ pid: Number(pid), name: look.name });
  }
  return { users, unseen, known: true };
}

/** One process. It may end while it is looked at. */
class Look {
  name = '';
  refused = false;
  isServer = false;

  constructor(
    private readonly room: string,
    private readonly wanted: ReadonlySet<string>,
    private readonly isInside: (path: string) => boolean,
  ) {}

  /** What it has to do with the dataset; null: nothing that can be seen. */
  async find(): Promise<string | null> {
    const { room } = this;
    this.name = await readFile(join(room, 'comm'), 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
    const program = basename((await this.tell(readlink(join(room, 'exe')))) ?? '').replace(
      / \(deleted\)$/,
      '',
    );
    this.isServer = SERVERS.test(this.name) || SERVERS.test(program);
    const cwd = this.isServer ? await this.tell(readlink(join(room, 'cwd'))) : null;
    for (const fd of (await this.tell(readdir(join(room, 'fd')))) ?? []) {
      const path = await this.tell(readlink(join(room, 'fd', fd)));
      if (path === null) continue;
      if (this.isServer && this.isInside(path)) return path;
      if (this.wanted.has(path) && (await this.writes(fd))) return path;
    }
    return cwd !== null && this.isInside(cwd) ? cwd : null;
  }

  /** By the flags of the descriptor: what only reads, such as a copy being made, does no harm. */
  private async writes(fd: string): Promise<boolean> {
    const text = await this.tell(readFile(join(this.room, 'fdinfo', fd), 'utf8'));
    const flags = /^flags:\s*(\d+)/m.exec(text ?? '')?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & 3) !== 0;
  }

  private async tell<T>(asked: Promise<T>): Promise<T | null> {
    try {
      return await asked;
    } catch (error) {
      if (['EACCES', 'EPERM'].includes(errorCode(error))) this.refused = true;
      return null;
    }
  }
}
