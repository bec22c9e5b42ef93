import { arrayCommands } from './arrays.js';
import { bitCommands } from './bits.js';
import { connectionCommands } from './connection.js';
import { counterCommands } from './counters.js';
import { expiryCommands } from './expiry.js';
import { functionCommands } from './functions.js';
import { gcraCommands } from './gcra.js';
import { geoCommands } from './geo.js';
import { hashCommands } from './hashes.js';
import { hashExpiryCommands } from './hashes-expiry.js';
import { timedHashCommands } from './hashes-timed.js';
import { hyperLogLogCommands } from './hyperloglog.js';
import { boundedCounterCommands } from './increx.js';
import { keydbCommands } from './keydb.js';
import { keyCommands } from './keys.js';
import { listCommands } from './lists.js';
import { listPopCommands } from './lists-pop.js';
import { restoreCommands } from './restore.js';
import type { CommandRow } from './row.js';
import { scriptCommands } from './scripts.js';
import { setCommands } from './sets.js';
import { slotCommands } from './slots.js';
import { sortCommands } from './sort.js';
import { streamCommands } from './streams.js';
import { streamClaimCommands } from './streams-claim.js';
import { streamGroupCommands } from './streams-groups.js';
import { streamProducerCommands } from './streams-producers.js';
import { streamReadCommands } from './streams-read.js';
import { streamReleaseCommands } from './streams-release.js';
import { stringCommands } from './strings.js';
import { vectorSetCommands } from './vector-sets.js';
import { zsetRangeCommands } from './zset-ranges.js';
import { zsetStoreCommands } from './zset-store.js';
import { zsetCommands } from './zsets.js';

/** Every command the engine executes, one list per family. */
export const COMMANDS: readonly CommandRow[] = [
  ...connectionCommands,
  ...stringCommands,
  ...zsetStoreCommands,
  ...zsetRangeCommands,
  ...zsetCommands,
  ...setCommands,
  ...listPopCommands,
  ...listCommands,
  ...keyCommands,
  ...keydbCommands,
  ...restoreCommands,
  ...hashExpiryCommands,
  ...timedHashCommands,
  ...hashCommands,
  ...expiryCommands,
  ...counterCommands,
  ...boundedCounterCommands,
  ...bitCommands,
  ...functionCommands,
  ...scriptCommands,
  ...geoCommands,
  ...sortCommands,
  ...slotCommands,
  ...hyperLogLogCommands,
  ...streamCommands,
  ...streamGroupCommands,
  ...streamClaimCommands,
  ...streamReadCommands,
  ...streamReleaseCommands,
  ...streamProducerCommands,
  ...arrayCommands,
  ...gcraCommands,
  ...vectorSetCommands,
];
