import type { ServerMessage } from './message.js';
import { AOF_MESSAGES } from './messages-aof.js';
import { CHECKER_MESSAGES } from './messages-checkers.js';
import { LOG_WRITE_MESSAGES } from './messages-log-write.js';
import { MACHINE_MESSAGES } from './messages-machine.js';
import { MANIFEST_MESSAGES } from './messages-manifest.js';
import { RDB_MESSAGES } from './messages-rdb.js';
import { REPLICA_MESSAGES } from './messages-replica.js';
import { VALUE_MESSAGES } from './messages-values.js';
import { SAVE_MESSAGES } from './messages-write.js';

/** Every message that doctor knows. */
export const SERVER_MESSAGES: readonly ServerMessage[] = [
  ...RDB_MESSAGES,
  ...VALUE_MESSAGES,
  ...AOF_MESSAGES,
  ...MANIFEST_MESSAGES,
  ...SAVE_MESSAGES,
  ...LOG_WRITE_MESSAGES,
  ...MACHINE_MESSAGES,
  ...REPLICA_MESSAGES,
  ...CHECKER_MESSAGES,
];
