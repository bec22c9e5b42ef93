import { sep } from 'node:path';
import { realPlace } from '../output-place.js';

/** Whether the path, links followed, is the directory or stands in it. */
export async function isInside(path: string, directory: string): Promise<boolean> {
  const place = await realPlace(path);
  const room = await realPlace(directory);
  return place === room || place.startsWith(room.endsWith(sep) ? room : room + sep);
}
