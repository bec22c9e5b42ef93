import { basename, dirname, join, resolve, sep } from 'node:path';
import type { AofSet } from '../aof/set.js';
import { realpath } from '../bytes/system.js';
import { OutputError, UsageError } from '../errors.js';
import type { Source } from './source.js';

/**
 * Sources are never changed, whatever they are called.
 *
 * @throws UsageError when the output would stand in the directory that is read, or replace a file that is
 */
export async function refuseInside(
  output: string,
  source: Source,
  set: AofSet,
  option = '--out: ',
): Promise<void> {
  const place = await realPlace(output);
  const refuse = (what: string) => {
    throw new UsageError(`${option}${output} ${what}`, 'write somewhere else: a source is never changed');
  };
  for (const { path } of [...set.files, ...set.history]) {
    if (place === (await realPlace(path))) refuse('is a file of the source');
  }
  const isOneFile = source.kind === 'rdb' || set.manifestPath === null;
  const rooms = isOneFile ? [] : [await realPlace(set.directory)];
  if (source.isDirectory) rooms.push(await realPlace(source.path));
  for (const room of rooms) {
    if (place === room) refuse('is the source itself');
    if (isInside(place, room)) refuse('is inside the source');
  }
}

const isInside = (place: string, room: string): boolean =>
  place.startsWith(room.endsWith(sep) ? room : room + sep);

/** Whether a path leads out of a directory, by a link in it or by being one. */
export async function leadsOut(path: string, directory: string): Promise<boolean> {
  return !isInside(await realPlace(path), await realPlace(directory));
}

/** A directory that was named is changed, and nothing that its links lead to. @throws OutputError */
export async function refuseOutside(path: string, directory: string): Promise<void> {
  if (!(await leadsOut(path, directory))) return;
  throw new OutputError(
    path,
    `a link leads out of ${directory}, to ${await realPlace(path)}: nothing was changed`,
    'name the file or directory that it leads to, or write a repaired copy with repair --out',
  );
}

/** The path with links resolved as far as it exists. */
export async function realPlace(path: string): Promise<string> {
  const whole = resolve(path);
  try {
    return await realpath(whole);
  } catch {
    const parent = dirname(whole);
    return parent === whole ? whole : join(await realPlace(parent), basename(whole));
  }
}
