import { listPrefixes } from '../../tools/memory/prefix-list.js';
import type { KeySum } from '../../tools/memory/tally.js';
import type { MemoryReport } from '../../tools/memory.js';
import type { Session } from '../session.js';
import { keyText } from './memory.js';

export const CSV_TABLES = ['prefixes', 'keys', 'types', 'databases', 'slots'] as const;
export type CsvTable = (typeof CSV_TABLES)[number];

type Cell = string | number | null;

/** One table of the report by RFC 4180. Bytes in file are empty where there is none. */
export function memoryCsv(report: MemoryReport, table: CsvTable, prefixes: number, session: Session): string {
  return rowsOf(report, table, prefixes, session)
    .map((row) => `${row.map(cellText).join(',')}\r\n`)
    .join('');
}

const SUM_HEAD = ['keys', 'memory_bytes', 'file_bytes', 'elements', 'with_expiry'];

function rowsOf(report: MemoryReport, table: CsvTable, prefixes: number, session: Session): Cell[][] {
  const { hasFileBytes } = report;
  const fileBytes = (bytes: number): number | null => (hasFileBytes ? bytes : null);
  const sum = (each: KeySum): Cell[] => [
    each.keys,
    each.memoryBytes,
    fileBytes(each.fileBytes),
    each.elements,
    each.withExpiry,
  ];
  switch (table) {
    case 'prefixes':
      return [
        ['pattern', 'depth', 'keys', 'memory_bytes', 'file_bytes', 'with_expiry'],
        ...listPrefixes(report.prefixes, prefixes).map(({ node, depth }) => [
          session.shown(node.pattern),
          depth,
          node.keys,
          node.memoryBytes,
          fileBytes(node.fileBytes),
          node.withExpiry,
        ]),
      ];
    case 'keys':
      return [
        ['db', 'key', 'type', 'encoding', 'memory_bytes', 'file_bytes', 'elements', 'expires_at_ms'],
        ...report.biggest.map((each) => [
          each.database,
          keyText(each, session),
          each.kind,
          each.encoding,
          each.memoryBytes,
          fileBytes(each.fileBytes),
          each.elements,
          each.expiresAtMs,
        ]),
      ];
    case 'types':
      return [
        ['type', 'encoding', ...SUM_HEAD],
        ...report.kinds.flatMap((kind) =>
          kind.encodings.map((each) => [kind.kind, each.encoding, ...sum(each)]),
        ),
      ];
    case 'databases':
      return [['db', ...SUM_HEAD], ...report.databases.map((each) => [each.database, ...sum(each)])];
    case 'slots': {
      const { keys, memoryBytes } = report.slots!;
      const used = [...keys.keys()].filter((slot) => keys[slot]! > 0);
      return [
        ['slot', 'keys', 'memory_bytes'],
        ...used.map((slot) => [slot, keys[slot]!, memoryBytes[slot]!]),
      ];
    }
  }
}

/** Quoted where it must be; with an apostrophe in front where a spreadsheet would take it for a formula. */
function cellText(cell: Cell): string {
  if (typeof cell !== 'string') return cell === null ? '' : String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
