import { EVERY_KEY } from './filter.js';
import { contextOf, type Surroundings } from './library.js';
import { type MemoryOptions, type MemoryReport, memory as measure } from './memory.js';
import { type DatasetSource, openDataset } from './source.js';

/** Options of `memory`; all may be left out. */
export type MemoryRequest = Partial<MemoryOptions> & Surroundings;

/** Tells what fills the memory of a dataset. @throws DamageError InputError */
export async function memory(
  source: string | DatasetSource,
  options: MemoryRequest = {},
): Promise<MemoryReport> {
  const opening = { prefer: null, stdin: null, signal: options.signal ?? null };
  const all: MemoryOptions = {
    conditions: EVERY_KEY,
    dialect: null,
    onUnknown: 'stop',
    top: 100,
    slots: false,
    ...options,
  };
  const opened = typeof source === 'string' ? await openDataset(source, opening) : source;
  return measure(opened, all, contextOf(options));
}
