import { moduleField } from '../../support/rdb-builder.js';
import { concat, len, len64 } from '../../support/rdb-bytes.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The id that a value begins with: nine letters of six bits, and ten bits of version. */
export function moduleId(name: string, version: number): Buffer {
  let id = 0n;
  for (const letter of name) id = id * 64n + BigInt(ALPHABET.indexOf(letter));
  return len64((id << 10n) | BigInt(version));
}

/** A whole value: id, fields, end tag. */
export function moduleValue(name: string, version: number, ...fields: Buffer[]): Buffer {
  return concat(moduleId(name, version), ...fields, len(0));
}

export const { uint, double, string } = moduleField;
