import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

let read: (name: string) => Uint8Array | null = () => null;

/** Says where files are found that a program carries in itself, for programs that are one file. */
export function embedFiles(reader: (name: string) => Uint8Array | null): void {
  read = reader;
}

/** A file that the program carries in itself; null: it is to be looked for in the file system. */
export function embeddedFile(name: string): Uint8Array | null {
  return read(name);
}

/** What to start a thread from whose compiled code stands at `url`, in a file or embedded; null when it is nowhere. */
export function threadCode(url: URL): URL | null {
  const path = fileURLToPath(url);
  const code = embeddedFile(basename(path));
  if (code !== null) return new URL(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
  return existsSync(path) ? url : null;
}
