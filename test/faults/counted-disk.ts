import { type Disk, localDisk, type OutputFile } from '../../src/bytes/disk.js';
import { failure } from '../bytes/faulty-disk.js';

/** What happens to one step: it fails, half of a write is done and then it fails, or the process is killed in it. */
export type Fault = 'ENOSPC' | 'EIO' | 'short' | 'killed';

/** A disk of which one step, counted over all of them from 1, does not come off. */
export class CountedDisk {
  /** Steps taken so far. */
  steps = 0;
  /** The name of the step that did not come off. */
  failed = '';
  /** Settles never, but when the process is killed. */
  readonly killed: Promise<'killed'>;
  readonly disk: Disk;
  private kill: () => void = () => {};
  private readonly open = new Set<OutputFile>();

  constructor(
    private readonly nth: number,
    private readonly fault: Fault,
  ) {
    this.killed = new Promise((resolve) => {
      this.kill = () => resolve('killed');
    });
    const names = Object.keys(localDisk) as (keyof Disk)[];
    const guarded =
      (name: keyof Disk) =>
      async (...args: never[]) => {
        await this.step(name);
        return (localDisk[name] as (...args: never[]) => Promise<unknown>)(...args);
      };
    const disk = Object.fromEntries(names.map((name) => [name, guarded(name)])) as unknown as Disk;
    this.disk = { ...disk, create: async (path, mode) => this.file(path, mode) };
  }

  private async file(path: string, mode: number): Promise<OutputFile> {
    await this.step('create');
    const file = await localDisk.create(path, mode);
    this.open.add(file);
    return {
      write: async (bytes) => {
        await this.step('write', () => file.write(bytes.subarray(0, bytes.length >> 1)));
        await file.write(bytes);
      },
      get bypassing() {
        return file.bypassing;
      },
      settle: () => file.settle(),
      sync: async () => {
        await this.step('sync');
        await file.sync();
      },
      close: async () => {
        this.open.delete(file);
        await file.close();
        await this.step('close');
      },
    };
  }

  private async step(name: string, half: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const number = ++this.steps;
    if (this.failed !== '' && this.fault === 'killed') return new Promise(() => {});
    if (number !== this.nth) return;
    this.failed = name;
    if (this.fault === 'short' || this.fault === 'killed') await half();
    if (this.fault !== 'killed') throw failure(this.fault === 'short' ? 'ENOSPC' : this.fault);
    // As the system does for a process that ends.
    for (const file of this.open) await file.close();
    this.kill();
    await new Promise(() => {});
  }
}
