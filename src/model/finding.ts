import type { ErrorDetail } from '../errors.js';

export type Severity = 'error' | 'warning';

/** Where something is. `offset` is absolute in `file`; -1 when the whole file is meant. */
export interface Location {
  readonly file: string;
  readonly offset: number;
  /** Where the damaged record or range begins, when that is not `offset`, and its bytes. */
  readonly start?: number;
  readonly length?: number;
  readonly database?: number;
  /** One character per byte. */
  readonly key?: string;
  /** Outermost first: `['hash', 'listpack', 'entry 17']`. */
  readonly trail: readonly string[];
}

/** Something wrong with a file. Words for it are in cli/render. */
export interface Finding {
  readonly code: FindingCode;
  readonly where: Location;
  readonly detail: ErrorDetail;
  /** The first bytes that stand there, one character per byte. */
  readonly preview?: string;
}

/** Every finding rekindle can make, with its severity. A code, once released, keeps its meaning. */
export const FINDINGS = {
  'input/item-too-large': 'error',
  /** Offsets of these are of plain bytes; the detail has that of the packed ones. */
  'packed/truncated': 'error',
  'packed/corrupt': 'error',
  'packed/checksum-mismatch': 'error',
  'packed/unsupported': 'error',
  'packed/trailing-bytes': 'error',
  'rdb/bad-magic': 'error',
  'rdb/bad-version': 'error',
  'rdb/unsupported-version': 'error',
  'rdb/truncated': 'error',
  'rdb/checksum-mismatch': 'error',
  'rdb/unknown-opcode': 'error',
  'rdb/unknown-type': 'error',
  'rdb/bad-length': 'error',
  'rdb/length-overrun': 'error',
  'rdb/bad-string-encoding': 'error',
  'rdb/bad-lzf': 'error',
  'rdb/bad-double': 'error',
  'rdb/bad-listpack': 'error',
  'rdb/bad-ziplist': 'error',
  'rdb/bad-intset': 'error',
  'rdb/bad-zipmap': 'error',
  'rdb/bad-quicklist': 'error',
  'rdb/bad-stream': 'error',
  'rdb/bad-module': 'error',
  'rdb/bad-array': 'error',
  'rdb/bad-vector-set': 'error',
  'rdb/bad-template': 'error',
  'rdb/bad-metadata': 'error',
  'rdb/bad-function': 'error',
  'rdb/bad-field-expiry': 'error',
  'rdb/duplicate-member': 'error',
  /** A key twice in one database: servers abort; KeyDB keeps one of the two. */
  'rdb/duplicate-key': 'error',
  /** A time of expiry before there was a Redis, or in another millennium. */
  'rdb/odd-expiry': 'warning',
  /** A module is known, and does not write such values. */
  'rdb/odd-module-value': 'warning',
  /** More or fewer keys than a RESIZEDB or SLOT_INFO record announces: no server compares them. */
  'rdb/count-differs': 'warning',
  /** Decodes, and is no record that a server writes: zeros, for one. Told by salvage. */
  'rdb/implausible-record': 'error',
  /** A sorted set that servers serve in the order in which it stands, members of one score in another. */
  'rdb/unsorted-members': 'error',
  /** Ids and counters of a stream that contradict its entries: servers load them unseen. */
  'rdb/odd-stream': 'warning',
  /** A node of a list without elements: servers leave it out. */
  'rdb/empty-node': 'warning',
  /** Records behind a damage that may be the content of a value. */
  'rdb/doubtful-records': 'warning',
  /** Compressed records of Dragonfly. */
  'rdb/bad-blob': 'error',
  /** A part of a record that Dragonfly has split. */
  'rdb/bad-chunk': 'error',
  /** Changes that Dragonfly wrote into a snapshot as commands. */
  'rdb/journal-entries': 'warning',
  'rdb/empty-value': 'warning',
  'rdb/trailing-bytes': 'warning',
  'aof/bad-prefix': 'error',
  'aof/bad-argument-count': 'error',
  'aof/bad-bulk-length': 'error',
  'aof/bad-line-end': 'error',
  'aof/annotation-too-long': 'error',
  /** A `#TS:` line whose number cannot be read: servers skip it, redis-check-aof refuses to cut by time. */
  'aof/bad-annotation': 'warning',
  /** An annotation without its line end at the very end: loaded, but the next append would join it. */
  'aof/torn-annotation': 'warning',
  /** A number or line end that servers load and redis-check-aof refuses. */
  'aof/loose-framing': 'warning',
  /** The checksum that a proposed `#HDR:` line states of the records behind it: no released server compares it. */
  'aof/block-checksum': 'warning',
  'aof/unknown-command': 'error',
  'aof/wrong-arity': 'error',
  /** A script needs the optional package that runs it. */
  'aof/script-engine': 'error',
  /** A script is called by a SHA1 that nothing before it in the log has defined. */
  'aof/unknown-script': 'error',
  /** A script calls a command whose reply is not known here. */
  'aof/script-command': 'error',
  /** A script takes more steps, memory or depth than it is given. */
  'aof/script-limit': 'error',
  /** SELECT of something that is no number: servers go on in the database before it. */
  'aof/bad-select': 'error',
  'aof/doubtful-records': 'warning',
  'aof/torn-tail': 'error',
  'aof/truncated': 'error',
  'aof/open-transaction': 'error',
  'aof/nested-multi': 'error',
  'aof/exec-without-multi': 'error',
  /** Servers queue it like any other command, and crash at the EXEC or lose everything behind it. */
  'aof/discard-in-multi': 'error',
  /** The first line of NDJSON says what it is. */
  'ndjson/bad-header': 'error',
  'ndjson/bad-json': 'error',
  'ndjson/bad-line': 'error',
  'ndjson/line-too-long': 'error',
  'ndjson/not-utf8': 'error',
  /** A value is to go on in a further line, and none comes. */
  'ndjson/unfinished-value': 'error',
  'manifest/bad-line': 'error',
  'manifest/empty': 'error',
  'manifest/duplicate-base': 'error',
  'manifest/bad-order': 'error',
  'manifest/unknown-type': 'error',
  'manifest/path-in-name': 'error',
  'manifest/line-too-long': 'error',
  'set/missing-file': 'error',
  /** Files of two snapshots of Dragonfly under one name. */
  'set/mixed-snapshots': 'error',
  'set/stray-file': 'warning',
  /** The base is an RDB by its name and has no byte: servers go on as if it had held nothing. */
  'set/empty-base': 'error',
  /** A number between two increments is not in the manifest: servers load what is there. */
  'set/sequence-gap': 'warning',
  /** Files of a set that no manifest names: a server started here begins empty. */
  'set/no-manifest': 'error',
} as const satisfies Record<string, Severity>;

export type FindingCode = keyof typeof FINDINGS;
