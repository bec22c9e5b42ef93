/** The version of what stands in NDJSON, raised when a reader of the old one would misread the new. */
export const FORMAT_VERSION = 1;

/** Kinds whose value is an array of items; that of the others is one text. */
export const LISTED_KINDS: ReadonlySet<string> = new Set([
  'list',
  'set',
  'zset',
  'hash',
  'stream',
  'array',
  'cron',
]);
