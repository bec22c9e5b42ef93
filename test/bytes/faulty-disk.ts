import { type Disk, localDisk } from '../../src/bytes/disk.js';

/** An error of the system. */
export function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** A disk on which one step fails, counted over all calls of its kind from 1. */
export function faulty(step: keyof Disk | 'write' | 'sync' | 'close', nth: number, code: string): Disk {
  const calls = new Map<string, number>();
  const pass = (name: string) => {
    const count = (calls.get(name) ?? 0) + 1;
    calls.set(name, count);
    if (name === step && count === nth) throw failure(code);
  };
  const guarded =
    (name: keyof Disk) =>
    async (...args: never[]) => {
      pass(name);
      return (localDisk[name] as (...args: never[]) => Promise<unknown>)(...args);
    };
  const disk = Object.fromEntries(Object.keys(localDisk).map((name) => [name, guarded(name as keyof Disk)]));
  disk['create'] = async (path: string, mode: number) => {
    pass('create');
    const file = await localDisk.create(path, mode);
    return {
      write: async (bytes: Uint8Array) => {
        pass('write');
        await file.write(bytes);
      },
      get bypassing() {
        return file.bypassing;
      },
      settle: () => file.settle(),
      sync: async () => {
        pass('sync');
        await file.sync();
      },
      close: async () => {
        await file.close();
        pass('close');
      },
    };
  };
  return disk as unknown as Disk;
}
