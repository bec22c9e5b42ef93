import { VECTOR_SET_NAME } from '../types/vector-set.js';
import { isKnownModule } from './decode.js';

/** Whose the types of values are that are met most, by the names they have in files. */
const PRODUCTS = new Map([
  [VECTOR_SET_NAME, 'vector sets of Redis'],
  ['ReJSON-RL', 'documents of RedisJSON or valkey-json'],
  ['MBbloom--', 'Bloom filters of RedisBloom'],
  ['MBbloomCF', 'cuckoo filters of RedisBloom'],
  ['CMSk-TYPE', 'count-min sketches of RedisBloom'],
  ['TopK-TYPE', 'top-k lists of RedisBloom'],
  ['TDIS-TYPE', 't-digests of RedisBloom'],
  ['TSDB-TYPE', 'time series of RedisTimeSeries'],
  ['bloomfltr', 'Bloom filters of valkey-bloom'],
  ['ft_index0', 'indexes of RediSearch'],
  ['ft_invidx', 'indexes of RediSearch'],
  ['numericdx', 'numeric indexes of RediSearch'],
  ['trietype0', 'suggestions of RediSearch'],
  ['graphdata', 'graphs of RedisGraph'],
  ['graphmeta', 'graphs of RedisGraph'],
  ['AI_TENSOR', 'tensors of RedisAI'],
  ['AI__MODEL', 'models of RedisAI'],
  ['AI_SCRIPT', 'scripts of RedisAI'],
  ['exstrtype', 'strings of Tair'],
  ['tairhash-', 'hashes of Tair'],
  ['tairzset_', 'sorted sets of Tair'],
]);

/** What values of a type are, in words; null: a module that is not known. */
export function productOf(name: string): string | null {
  return PRODUCTS.get(name) ?? null;
}

/** Whether values of a type in an encoding are understood, vector sets included. */
export function isUnderstood(name: string, version: number): boolean {
  return name === VECTOR_SET_NAME ? version === 0 : isKnownModule(name, version);
}
