import { constants, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { type System, system } from '../../src/bytes/system.js';
import { failure } from '../bytes/faulty-disk.js';

/** What is done to one call: it fails with a code of the system, or does half of what was asked for and then fails. */
export type CallFault = 'EIO' | 'ENOSPC' | 'EACCES' | 'EROFS' | 'EMFILE' | 'torn';

export type CallName = keyof System | 'read' | 'write' | 'sync' | 'truncate' | 'close' | 'handleStat';

/** One call as it was made, in the words of the power-cut model. */
export interface Call {
  readonly name: CallName;
  /** Absolute. */
  readonly path: string;
  /** The second name of a rename or link. */
  readonly to?: string;
  /** True for an `open` that made the file. */
  readonly creates?: boolean;
  /** Of a write: where, and what; of a truncate where the file ends now. */
  readonly at?: number;
  readonly bytes?: Buffer;
  /** Directories that `mkdir` made, outermost first. */
  readonly made?: readonly string[];
}

export interface Watching {
  /** The call to fail, counted from 1 over all of them; 0: none. */
  readonly nth?: number;
  readonly fault?: CallFault;
  /** Every read and write moves a part of what was asked for. */
  readonly short?: boolean;
  /** Keeps what was written, for the power-cut model. */
  readonly keepsBytes?: boolean;
  /** Asked before each call; what it throws is what the call fails with. */
  readonly onCall?: (name: CallName, path: string, position: number) => void;
}

const CHANGES = new Set<CallName>([
  ...(['chmod', 'chown', 'link', 'mkdir', 'mkdtemp', 'rename', 'rm', 'rmdir', 'unlink'] as const),
  ...(['write', 'sync', 'truncate'] as const),
]);

/** True for calls that change something, or that a change needs. */
export const isChange = ({ name, creates }: Call): boolean => CHANGES.has(name) || creates === true;

/** Faults that a call of this kind can meet. */
export function faultsOf({ name, creates }: Call): readonly CallFault[] {
  if (creates === true) return ['EACCES', 'ENOSPC', 'EROFS', 'EMFILE', 'EIO'];
  switch (name) {
    case 'open':
    case 'openDescriptor':
    case 'readdir':
    case 'readFile':
      return ['EACCES', 'EMFILE', 'EIO'];
    case 'write':
      return ['ENOSPC', 'torn', 'EIO'];
    case 'rename':
    case 'link':
    case 'unlink':
    case 'rm':
    case 'rmdir':
    case 'mkdir':
    case 'truncate':
      return ['EIO', 'torn', 'EROFS', 'EACCES', 'ENOSPC'];
    case 'close':
    case 'closeDescriptor':
      return ['torn'];
    case 'stat':
    case 'lstat':
    case 'realpath':
      return ['EACCES', 'EIO'];
    default:
      return ['EIO'];
  }
}

/** Codes by which callers know that something is done otherwise; the rest are failures. */
const codeOf = (fault: CallFault): string => (fault === 'torn' ? 'EIO' : fault);

/**
 * Stands between rekindle and the system for everything below a directory, until it is removed. One at a time.
 */
export class WatchedSystem {
  readonly calls: Call[] = [];
  /** The call that failed. */
  failed: Call | null = null;
  /** Descriptors and files that were opened and not closed. */
  readonly open = new Map<object | number, string>();
  /** Calls that were made and have not come back. */
  underWay = 0;
  private readonly original: System = { ...system };
  private readonly paths = new Map<number, string>();

  constructor(
    private readonly root: string,
    private readonly watching: Watching = {},
  ) {
    for (const name of [
      'chmod',
      'chown',
      'rmdir',
      'statfs',
      'stat',
      'lstat',
      'realpath',
      'readdir',
    ] as const) {
      this.plain(name);
    }
    for (const name of ['readFile', 'rm', 'unlink', 'rename', 'link', 'mkdir', 'mkdtemp'] as const)
      this.plain(name);
    this.watchFiles();
    this.watchDescriptors();
  }

  remove(): void {
    Object.assign(system, this.original);
  }

  private isWatched(path: unknown): path is string {
    if (typeof path !== 'string') return false;
    const whole = resolve(path);
    return whole === this.root || whole.startsWith(this.root + sep);
  }

  /** Counts a call and does it, unless it is the one to fail. */
  private async step<T>(call: Call, act: () => Promise<T>, half: () => Promise<unknown> = act): Promise<T> {
    this.calls.push(call);
    this.watching.onCall?.(call.name, call.path, call.at ?? 0);
    this.underWay++;
    try {
      if (this.calls.length !== this.watching.nth) return await act();
      this.failed = call;
      const { fault = 'EIO' } = this.watching;
      if (fault === 'torn' || call.name === 'close' || call.name === 'closeDescriptor') await half();
      throw failure(codeOf(fault));
    } finally {
      this.underWay--;
    }
  }

  private plain(name: keyof System): void {
    const original = this.original[name] as (...values: unknown[]) => Promise<unknown>;
    const watched = async (...values: unknown[]): Promise<unknown> => {
      const [path, to] = values;
      const whole = name === 'link' || name === 'rename' ? [path, to] : [path];
      if (!whole.some((each) => this.isWatched(each))) return original(...values);
      const call: Call = {
        name,
        path: resolve(path as string),
        ...(whole.length === 2 ? { to: resolve(to as string) } : {}),
        ...(name === 'mkdir' ? { made: await this.missing(path as string) } : {}),
      };
      return this.step(call, () => original(...values));
    };
    (system as unknown as Record<string, unknown>)[name] = watched;
  }

  /** Directories of a path that are not there, outermost first. */
  private async missing(path: string): Promise<string[]> {
    const made: string[] = [];
    for (let at = resolve(path); ; at = dirname(at)) {
      if ((await this.original.stat(at).catch(() => null)) !== null) return made.reverse();
      made.push(at);
    }
  }

  private watchFiles(): void {
    const { open } = this.original;
    system.open = (async (path: string, flags: string | number = 'r', mode?: number) => {
      if (!this.isWatched(path)) return open(path, flags, mode);
      const whole = resolve(path);
      const creates = /[wa]/.test(String(flags)) && typeof flags === 'string';
      const handle = await this.step({ name: 'open', path: whole, creates }, () => open(path, flags, mode));
      this.open.set(handle, whole);
      this.watchHandle(handle, whole, flags === constants.O_RDONLY || flags === 'r');
      return handle;
    }) as System['open'];
  }

  private watchHandle(handle: FileHandle, path: string, readsOnly: boolean): void {
    const { short = false, keepsBytes = false } = this.watching;
    const original = {
      write: handle.write.bind(handle),
      read: handle.read.bind(handle),
      truncate: handle.truncate.bind(handle),
      sync: handle.sync.bind(handle),
      close: handle.close.bind(handle),
      stat: handle.stat.bind(handle),
    };
    let end = 0;
    const write = async (bytes: Uint8Array, at = 0, count = bytes.length - at, position = end) => {
      const part = short && count > 1 ? Math.ceil(count / 3) : count;
      const kept = keepsBytes ? Buffer.from(bytes.subarray(at, at + part)) : Buffer.alloc(0);
      const act = async (length: number) => {
        const done = await original.write(bytes, at, length, position);
        end = position + done.bytesWritten;
        return done;
      };
      const call: Call = { name: 'write', path, at: position, bytes: kept };
      return this.step(
        call,
        () => act(part),
        () => act(part >> 1),
      );
    };
    const read = (into: Uint8Array, at: number, count: number, position: number) => {
      const part = short && count > 1 ? Math.ceil(count / 3) : count;
      return this.step({ name: 'read', path, at: position }, () => original.read(into, at, part, position));
    };
    const sync = () =>
      // What is read of a directory or written of a file is asked for; that the medium takes its time is nothing to test.
      this.step({ name: 'sync', path }, () => Promise.resolve());
    const truncate = (size = 0) =>
      this.step({ name: 'truncate', path, at: size }, () => original.truncate(size));
    const close = async () => {
      this.open.delete(handle);
      if (readsOnly) return original.close();
      return this.step({ name: 'close', path }, () => original.close());
    };
    const stat = () => this.step({ name: 'handleStat', path }, () => original.stat());
    Object.assign(handle, { write, read, sync, truncate, close, stat });
  }

  private watchDescriptors(): void {
    const { openDescriptor, closeDescriptor, statDescriptor, readDescriptor } = this.original;
    system.openDescriptor = async (path, flags) => {
      if (!this.isWatched(path)) return openDescriptor(path, flags);
      const whole = resolve(path);
      const descriptor = await this.step({ name: 'openDescriptor', path: whole }, () =>
        openDescriptor(path, flags),
      );
      this.paths.set(descriptor, whole);
      this.open.set(descriptor, whole);
      return descriptor;
    };
    system.closeDescriptor = (descriptor) => {
      this.paths.delete(descriptor);
      this.open.delete(descriptor);
      return closeDescriptor(descriptor);
    };
    system.statDescriptor = (descriptor): Promise<Stats> => {
      const path = this.paths.get(descriptor);
      if (path === undefined) return statDescriptor(descriptor);
      return this.step({ name: 'statDescriptor', path }, () => statDescriptor(descriptor));
    };
    system.readDescriptor = (descriptor, into, at, count, position, done) => {
      const path = this.paths.get(descriptor);
      if (path === undefined) return readDescriptor(descriptor, into, at, count, position, done);
      const part = this.watching.short === true && count > 1 ? Math.ceil(count / 3) : count;
      const reading = this.step(
        { name: 'readDescriptor', path, at: position },
        () =>
          new Promise<number>((fulfil, reject) => {
            readDescriptor(descriptor, into, at, part, position, (error, bytesRead) =>
              error === null ? fulfil(bytesRead) : reject(error),
            );
          }),
      );
      reading.then(
        (bytesRead) => done(null, bytesRead),
        (error: Error) => done(error, 0),
      );
    };
  }
}

/** Runs something while everything it does below `root` is watched. */
export async function watched<T>(
  root: string,
  watching: Watching,
  work: (seen: WatchedSystem) => Promise<T>,
): Promise<{ readonly result: T; readonly seen: WatchedSystem }> {
  const seen = new WatchedSystem(root, watching);
  try {
    return { result: await work(seen), seen };
  } finally {
    seen.remove();
  }
}
