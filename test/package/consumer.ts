// A program as one who installed the package would write it: what it names must have the types that docs/library.md says.
import {
  type CheckReport,
  check,
  convert,
  type Finding,
  type KeyRecord,
  MemorySource,
  type OpenOptions,
  openSource,
  type RedisValue,
  readAof,
  readRdb,
  type Source,
} from 'rekindle';

const rdb: Uint8Array = Buffer.from('REDIS0009\xff\0\0\0\0\0\0\0\0', 'latin1');

export async function keysOf(bytes: Uint8Array): Promise<KeyRecord[]> {
  const keys: KeyRecord[] = [];
  for await (const batch of readRdb(new MemorySource(bytes))) keys.push(...batch);
  return keys;
}

export async function problemsIn(path: string): Promise<readonly Finding[]> {
  const report: CheckReport = await check(path, { quick: true, signal: new AbortController().signal });
  return report.files.flatMap(({ findings }) => findings);
}

export function kindOf(value: RedisValue): string {
  return value.kind;
}

export const source = (path: string): Promise<Source> => openSource(path, { prefer: 'rdb' });

/** Does not compile where the type of a preference would let any text pass. */
type Closed<T extends string> = string extends T ? never : true;
export const closed: Closed<NonNullable<OpenOptions['prefer']>> = true;

if ((await keysOf(rdb)).length !== 0) throw new Error('keys in an empty file');
if (typeof convert !== 'function' || typeof readAof !== 'function') throw new Error('names are missing');
