import { type ListedPrefix, listPrefixes } from '../../tools/memory/prefix-list.js';
import type { SpreadBucket } from '../../tools/memory/spread.js';
import type { KeySum } from '../../tools/memory/tally.js';
import type { LargeKey } from '../../tools/memory/top-keys.js';
import type { MemoryReport, SlotSums } from '../../tools/memory.js';
import type { Session } from '../session.js';
import type { Json } from './json.js';
import { notCheckedJson } from './not-checked.js';

/** The report with the fields that docs/memory.md names. */
export function memoryJson(
  report: MemoryReport,
  prefixes: number,
  session: Session,
): Readonly<Record<string, Json>> {
  const { hasFileBytes, server, savedAtMs } = report;
  const sum = ({ fileBytes, memoryBytes, keys, elements, withExpiry }: KeySum) => ({
    keys,
    memoryBytes,
    fileBytes: hasFileBytes ? fileBytes : null,
    elements,
    withExpiry,
  });
  const keys = (list: readonly LargeKey[]): Json => list.map((each) => keyJson(each, hasFileBytes, session));
  return {
    ...sum(report.total),
    tableBytes: report.tableBytes,
    server: server === null ? null : { ...server },
    savedAt: savedAtMs === null ? null : new Date(savedAtMs).toISOString(),
    usedBytes: report.usedBytes,
    databases: report.databases.map((each) => ({ db: each.database, ...sum(each) })),
    types: report.kinds.map((each) => ({
      type: each.kind,
      ...sum(each),
      encodings: each.encodings.map((one) => ({ encoding: one.encoding, ...sum(one) })),
    })),
    prefixes: listPrefixes(report.prefixes, prefixes).map((each) => prefixJson(each, hasFileBytes, session)),
    prefixesDropped: report.prefixesDropped,
    biggest: keys(report.biggest),
    longest: keys(report.longest),
    sizes: report.sizes.map(bucketJson),
    ttl: report.ttl.map(bucketJson),
    idle: report.idle?.map(bucketJson) ?? null,
    freq: report.freq?.map(bucketJson) ?? null,
    slots: report.slots === null ? null : slotsJson(report.slots),
    notChecked: notCheckedJson(report.notChecked),
  };
}

function prefixJson({ node, depth }: ListedPrefix, hasFileBytes: boolean, session: Session): Json {
  const { pattern, keys, memoryBytes, fileBytes, withExpiry } = node;
  return {
    pattern: session.json(pattern),
    depth,
    keys,
    memoryBytes,
    fileBytes: hasFileBytes ? fileBytes : null,
    withExpiry,
  };
}

function keyJson(each: LargeKey, hasFileBytes: boolean, session: Session): Json {
  return {
    db: each.database,
    key: session.json(each.key),
    ...(each.keyBytes > each.key.length ? { keyBytes: each.keyBytes } : {}),
    type: each.kind,
    encoding: each.encoding,
    memoryBytes: each.memoryBytes,
    fileBytes: hasFileBytes ? each.fileBytes : null,
    elements: each.elements,
    expiresAtMs: each.expiresAtMs,
    ...(each.idleSeconds >= 0 ? { idleSeconds: each.idleSeconds } : {}),
    ...(each.freq >= 0 ? { freq: each.freq } : {}),
  };
}

const bucketJson = ({ from, to, keys, memoryBytes }: SpreadBucket): Json => ({ from, to, keys, memoryBytes });

/** Slots that hold keys. */
const slotsJson = ({ keys, memoryBytes }: SlotSums): Json =>
  [...keys.keys()]
    .filter((slot) => keys[slot]! > 0)
    .map((slot) => ({ slot, keys: keys[slot]!, memoryBytes: memoryBytes[slot]! }));
