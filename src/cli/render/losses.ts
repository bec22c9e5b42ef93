import type { Loss } from '../../tools/write-dataset.js';

/** Words for what an output has no place for; the codes are those of --json. */
export const LOSS_WORDS: Readonly<Record<Loss['what'], string>> = {
  function: 'a function library',
  'module-aux': 'what a module keeps beside its keys',
  module: 'the whole value, which only its module understands',
  stream: 'the whole stream',
  array: 'the whole array',
  gcra: 'the whole rate limit',
  cron: 'the whole job',
  empty: 'the key itself: it has no element',
  'member-expiry': 'TTLs of set members or hash fields',
  'field-expiry': 'TTLs of hash fields',
  'expiry-precision': 'the milliseconds of its TTL',
  'eviction-hint': 'how recently or often it was used',
  'stream-counters': 'what the stream counted beyond its entries',
  'stream-pending': 'pending entries that no consumer holds',
  'stream-consumer': 'consumers without pending entries',
  'stream-entry': 'an entry without fields, or with the id 0-0',
  'stream-times': 'when pending entries were delivered',
  'stream-producers': 'what the stream remembers of messages sent before',
  'key-metadata': 'what modules attached to the key',
  'slot-import': 'that a slot was being imported',
};
