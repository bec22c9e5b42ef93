import type { TypeCodec } from './codec.js';
import type { Dialect, OpcodeRule } from './dialect.js';
import * as hash from './types/hash.js';
import * as list from './types/list.js';
import * as set from './types/set.js';
import * as stream from './types/stream.js';
import { string } from './types/string.js';
import * as zset from './types/zset.js';

/** What the kernels that look into values call those they know. */
export const VALUE_ACTIONS: readonly (readonly [action: number, codec: TypeCodec])[] = [
  [1, string],
  [2, list.list],
  [3, set.set],
  [4, zset.zset],
  [5, hash.hash],
  [6, zset.zset2],
  [7, list.listQuicklist],
  [8, list.listQuicklist2],
  [9, hash.hashMetadata],
  [10, hash.valkeyHash2],
  [11, stream.stream1],
  [12, stream.stream2],
  [13, stream.stream3],
  [14, stream.stream4],
  [15, stream.stream5],
  [16, list.listZiplist],
  [17, hash.hashZiplist],
  [18, zset.zsetZiplist],
  [19, set.setIntset],
  [20, set.setListpack],
  [21, hash.hashListpack],
  [22, zset.zsetListpack],
  [23, hash.hashListpackEx],
];
const ACTION_OF = new Map(VALUE_ACTIONS.map(([action, codec]) => [codec, action]));

/** And the attributes of keys. */
const ATTRIBUTE_OF: ReadonlyMap<OpcodeRule, number> = new Map<OpcodeRule, number>([
  ['expiry-ms', 32],
  ['expiry-seconds', 33],
  ['idle', 34],
  ['freq', 35],
]);

/** By the first byte of a record, what it is to those kernels; 0: nothing they know. */
export function kernelActions({ typeOf, opcodeOf }: Dialect): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, number) => {
    const codec = typeOf[number];
    if (codec !== undefined) return ACTION_OF.get(codec) ?? 0;
    const rule = opcodeOf[number];
    return rule === undefined ? 0 : (ATTRIBUTE_OF.get(rule) ?? 0);
  });
}
