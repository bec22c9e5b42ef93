import { FormatError } from '../../errors.js';
import type { ModuleData, ModuleReading } from '../../model/module-value.js';
import { MODULE_ID_BYTES, moduleIdOf } from '../module-id.js';
import { ModuleFields, type ModuleLimits, ModuleTooLarge } from './fields.js';
import { jsonDocument } from './json.js';
import { bloomFilter, countMinSketch, cuckooFilter, tDigest, topK } from './sketches.js';
import { timeSeries } from './time-series.js';

export type { ModuleLimits } from './fields.js';

/** Reads the fields of a value up to its end tag. @throws FormatError, ModuleTooLarge */
export type ModuleDecoder = (fields: ModuleFields, version: number) => ModuleData;

interface KnownType {
  /** Encodings that are understood. */
  readonly versions: readonly number[];
  readonly decode: ModuleDecoder;
}

/** By the name of the type. docs/modules.md says where each layout was learnt. */
const TYPES = new Map<string, KnownType>([
  ['ReJSON-RL', { versions: [0, 2, 3, 4], decode: jsonDocument }],
  ['MBbloom--', { versions: [0, 1, 2, 3, 4], decode: bloomFilter }],
  ['MBbloomCF', { versions: [1, 2, 3, 4], decode: cuckooFilter }],
  ['CMSk-TYPE', { versions: [0], decode: countMinSketch }],
  ['TopK-TYPE', { versions: [0], decode: topK }],
  ['TDIS-TYPE', { versions: [0], decode: tDigest }],
  ['TSDB-TYPE', { versions: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], decode: timeSeries }],
]);

export const MODULE_LIMITS: ModuleLimits = { bytesMax: 1 << 28, itemsMax: 1 << 24 };

/**
 * What the value of a module means, if its layout is known. `value` is the value as it stands in an RDB, from the
 * module's id to the end tag; it is borrowed, and what is decoded may hold views into it. Never throws for bad bytes.
 */
export function decodeModuleValue(value: Buffer, limits: ModuleLimits = MODULE_LIMITS): ModuleReading {
  if (value.length < MODULE_ID_BYTES) return { data: null, problem: 'unknown-module' };
  const { name, version } = moduleIdOf(value);
  const type = TYPES.get(name);
  if (type === undefined) return { data: null, problem: 'unknown-module' };
  if (!type.versions.includes(version)) return { data: null, problem: 'unknown-encoding' };
  try {
    const fields = new ModuleFields(value, MODULE_ID_BYTES, limits);
    const data = type.decode(fields, version);
    fields.end();
    return { data, problem: null };
  } catch (error) {
    if (error instanceof ModuleTooLarge) return { data: null, problem: 'too-large' };
    if (error instanceof FormatError) return { data: null, problem: 'malformed' };
    throw error;
  }
}

/** Whether values of a type can be decoded. */
export function isKnownModule(name: string, version: number): boolean {
  return TYPES.get(name)?.versions.includes(version) ?? false;
}
