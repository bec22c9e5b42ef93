import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/**
 * The regular files of a gzipped ustar archive, by path. Knows what the archives in testdata hold: names within the
 * ustar limits, files and directories.
 *
 * @throws Error when an entry is of another kind or the archive ends inside one
 */
export function readTarGz(archive: Buffer): Map<string, Buffer> {
  const bytes = gunzipSync(archive);
  const files = new Map<string, Buffer>();
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0; ) {
    const name = text(bytes, at, 100);
    const prefix = text(bytes, at + 345, 155);
    const size = Number.parseInt(text(bytes, at + 124, 12), 8);
    const kind = text(bytes, at + 156, 1);
    const start = at + BLOCK;
    if (start + size > bytes.length) throw new Error(`the archive ends inside ${name}`);
    if (kind === '0') {
      const path = (prefix === '' ? name : `${prefix}/${name}`).replace(/^\.\//, '');
      files.set(path, bytes.subarray(start, start + size));
    } else if (kind !== '5') {
      throw new Error(`${name}: an entry of kind '${kind}' in the archive`);
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

function text(bytes: Buffer, start: number, length: number): string {
  const field = bytes.latin1Slice(start, start + length);
  const end = field.indexOf('\0');
  return (end < 0 ? field : field.slice(0, end)).trim();
}
