import * as callbacks from 'node:fs';
import * as promises from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * The calls of the system by which rekindle sees and changes files, all of them. Whoever wants one takes it from this
 * file, so that a test can make any of them fail, tell less than it was asked for, or be written down.
 */
export interface System {
  chmod: typeof promises.chmod;
  chown: typeof promises.chown;
  link: typeof promises.link;
  lstat: typeof promises.lstat;
  mkdir: typeof promises.mkdir;
  mkdtemp: typeof promises.mkdtemp;
  /** A file as an object. */
  open: typeof promises.open;
  readFile: typeof promises.readFile;
  readdir: typeof promises.readdir;
  realpath: typeof promises.realpath;
  rename: typeof promises.rename;
  rm: typeof promises.rm;
  rmdir: typeof promises.rmdir;
  stat: typeof promises.stat;
  statfs: typeof promises.statfs;
  unlink: typeof promises.unlink;
  /** A file as a number: a read by it costs a third of one by the object. */
  openDescriptor: (path: string, flags: string) => Promise<number>;
  closeDescriptor: (descriptor: number) => Promise<void>;
  statDescriptor: (descriptor: number) => Promise<callbacks.Stats>;
  /** Calls back, with the number of bytes: a promise for each read would be made on the way of every byte. */
  readDescriptor: (
    descriptor: number,
    into: Uint8Array,
    at: number,
    count: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ) => void;
  /** Waits for the bytes: for threads that do nothing else meanwhile. */
  readDescriptorNow: (
    descriptor: number,
    into: Uint8Array,
    at: number,
    count: number,
    position: number,
  ) => number;
}

/** What is called in the end: of Node.js, unless a test puts something else in a place. */
export const system: System = {
  ...promises,
  openDescriptor: promisify(callbacks.open),
  closeDescriptor: promisify(callbacks.close),
  statDescriptor: promisify(callbacks.fstat),
  readDescriptor: callbacks.read,
  readDescriptorNow: callbacks.readSync,
};

type Call = (...values: never[]) => unknown;

/** Looks a call up when it is made. */
function late<Name extends keyof System>(name: Name): System[Name] {
  return ((...values: never[]) => (system[name] as Call)(...values)) as unknown as System[Name];
}

export const chmod = late('chmod');
export const chown = late('chown');
export const link = late('link');
export const lstat = late('lstat');
export const mkdir = late('mkdir');
export const mkdtemp = late('mkdtemp');
export const open = late('open');
export const readFile = late('readFile');
export const readdir = late('readdir');
export const realpath = late('realpath');
export const rename = late('rename');
export const rm = late('rm');
export const rmdir = late('rmdir');
export const stat = late('stat');
export const statfs = late('statfs');
export const unlink = late('unlink');
export const openDescriptor = late('openDescriptor');
export const closeDescriptor = late('closeDescriptor');
export const statDescriptor = late('statDescriptor');
export const readDescriptor = late('readDescriptor');
export const readDescriptorNow = late('readDescriptorNow');
