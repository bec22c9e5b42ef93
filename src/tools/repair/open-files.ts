import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
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
export function findUsers(
  files: readonly string[],
  directories: readonly string[],
  proc = '/proc',
): FileUsers {
  const users: FileUser[] = [];
  const unseen: { pid: number; name: string }[] = [];
  let own: string;
  let pids: string[];
  try {
    own = basename(readlinkSync(join(proc, 'self')));
    pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  } catch {
    return { users, unseen, known: false };
  }
  const wanted = new Set(files);
  const rooms = new Set(directories);
  const isInside = (path: string) => rooms.has(path) || rooms.has(dirname(path));
  for (const pid of pids) {
    if (pid === own) continue;
    const look = new Look(join(proc, pid), wanted, isInside);
    const path = look.find();
    if (path !== null) users.push({ pid: Number(pid), name: look.name, path });
    else if (look.refused && look.isServer) unseen.push({ pid: Number(pid), name: look.name });
  }
  return { users, unseen, known: true };
}

/** One process. Asked without waiting: the answers come from memory, and there are thousands. */
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
  find(): string | null {
    const { room } = this;
    this.name = (tell(() => readFileSync(join(room, 'comm'), 'utf8')) ?? '').trim();
    const program = basename(this.tell(() => readlinkSync(join(room, 'exe'))) ?? '');
    this.isServer = SERVERS.test(this.name) || SERVERS.test(program.replace(/ \(deleted\)$/, ''));
    for (const fd of this.tell(() => readdirSync(join(room, 'fd'))) ?? []) {
      const path = this.tell(() => readlinkSync(join(room, 'fd', fd)));
      if (path === null) continue;
      if (this.isServer && this.isInside(path)) return path;
      if (this.wanted.has(path) && this.writes(fd)) return path;
    }
    const cwd = this.isServer ? this.tell(() => readlinkSync(join(room, 'cwd'))) : null;
    return cwd !== null && this.isInside(cwd) ? cwd : null;
  }

  /** By the flags of the descriptor: what only reads, such as a copy being made, does no harm. */
  private writes(fd: string): boolean {
    const text = this.tell(() => readFileSync(join(this.room, 'fdinfo', fd), 'utf8'));
    const flags = /^flags:\s*(\d+)/m.exec(text ?? '')?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & 3) !== 0;
  }

  private tell<T>(ask: () => T): T | null {
    return tell(ask, (code) => {
      if (code === 'EACCES' || code === 'EPERM') this.refused = true;
    });
  }
}

/** What the system tells, or null where it does not: a process may end while it is looked at. */
function tell<T>(ask: () => T, refused: (code: string) => void = () => {}): T | null {
  try {
    return ask();
  } catch (error) {
    refused(errorCode(error));
    return null;
  }
}
