import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The bytes of a file, or of every file in a directory by its path there. */
export function tree(path: string): Record<string, Buffer> {
  if (!statSync(path).isDirectory()) return { '': readFileSync(path) };
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((each) => [relative(path, each), readFileSync(each)]));
}
