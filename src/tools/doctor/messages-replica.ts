import { by, type ServerMessage } from './message.js';
import { IS_IT_GOOD, LOOK_RDB, NO_DELETE, NO_RESTART, WEIGH_ALL } from './remedies.js';

const OLD = 'Redis 2.8 to 4.0';
const NEW = 'Redis 5.0 and later, KeyDB';
const VALKEY = 'Valkey 9';
const SPACE = { why: 'see whether the disk is full', command: 'df -h {dir}' };

/** What servers log about files while a replica takes over its master's dataset. */
export const REPLICA_MESSAGES: readonly ServerMessage[] = [
  {
    id: 'replica/flushing',
    severity: 'warning',
    says: [
      ...by(OLD, 'MASTER <-> SLAVE sync: Flushing old data'),
      ...by(NEW, 'MASTER <-> REPLICA sync: Flushing old data'),
      ...by(NEW, 'MASTER <-> REPLICA sync: Discarding old DB in background'),
      ...by(
        VALKEY,
        'PRIMARY <-> REPLICA sync: Discarding old DB in background',
        'RDB signature and version check passed. Flushing old data',
      ),
    ],
    means:
      "the replica drops its own dataset and takes its master's. That is as it should be, unless the master came up empty (restarted without its files): then the replica has just thrown the last copy away.",
    risk: 'at-risk',
    data: 'if the master is empty, what the replica had is in its files until it saves again',
    never: [
      'if the master came up empty: do not let this replica save or shut down normally before its files have been copied',
    ],
    remedies: [
      { why: 'copy its files away', command: 'cp -a {dir} {dir}.saved' },
      { ...WEIGH_ALL, command: 'rekindle recover {dir}.saved' },
    ],
  },
  {
    id: 'replica/load-failed',
    severity: 'error',
    says: [
      ...by('Redis 2.8 to 6.0', 'Failed trying to load the MASTER synchronization DB from disk'),
      ...by(
        'Redis 6.0 and later',
        'Failed trying to load the MASTER synchronization DB from socket',
        'Failed trying to load the MASTER synchronization DB from disk, check server logs.',
      ),
      ...by(
        VALKEY,
        'Failed trying to load the PRIMARY synchronization DB from disk',
        'Failed trying to load the PRIMARY synchronization DB from socket',
      ),
      ...by(
        'Valkey 9',
        'PRIMARY <-> REPLICA sync: RDB version or signature incompatible, old data preserved',
      ),
    ],
    means:
      "the replica received its master's dataset and could not load it: as a rule the master is newer, or of another product, and sends an RDB that the replica does not know; the line before says which version.",
    risk: 'at-risk',
    data: 'the master is whole; the replica may be empty now',
    never: ['do not make that replica the master: it has no data'],
    remedies: [
      { why: 'fetch the same RDB and see what it is', command: 'redis-cli --rdb master.rdb' },
      { why: 'and who can load it', command: 'rekindle info master.rdb' },
      {
        why: 'write it as the replica loads it',
        command: 'rekindle convert master.rdb replica.rdb --for {target}',
      },
    ],
  },
  {
    id: 'replica/write',
    severity: 'error',
    says: [
      ...by(OLD, 'Opening the temp file needed for MASTER <-> SLAVE synchronization: {error}'),
      ...by(NEW, 'Opening the temp file needed for MASTER <-> REPLICA synchronization: {error}'),
      ...by(VALKEY, 'Opening the temp file needed for PRIMARY <-> REPLICA synchronization: {error}'),
      ...by(
        OLD,
        'Write error or short write writing to the DB dump file needed for MASTER <-> SLAVE synchronization: {error}',
      ),
      ...by(
        NEW,
        'Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: {error}',
      ),
      ...by(
        OLD,
        'Failed trying to rename the temp DB into dump.rdb in MASTER <-> SLAVE synchronization: {error}',
      ),
      ...by(
        NEW,
        'Failed trying to rename the temp DB into {file} in MASTER <-> REPLICA synchronization: {error}',
      ),
      ...by(
        VALKEY,
        'Failed trying to rename the temp DB into {file} in PRIMARY <-> REPLICA synchronization: {error}',
      ),
      ...by(NEW, 'Failed trying to sync the temp DB to disk in MASTER <-> REPLICA synchronization: {error}'),
      ...by(
        VALKEY,
        'Failed trying to sync the temp DB to disk in PRIMARY <-> REPLICA synchronization: {error}',
      ),
    ],
    means:
      'the replica could not put what its master sends onto its disk: {error}. It tries again, and the master has to make a snapshot for it each time.',
    risk: 'none',
    data: 'the master is whole; the replica has what it had before, or nothing',
    never: ['do not make that replica the master'],
    remedies: [SPACE, { why: 'see whom the directory belongs to', command: 'ls -ldn {dir}' }],
  },
  {
    id: 'replica/bgsave-failed',
    severity: 'error',
    says: [
      ...by(
        'every Redis and Valkey',
        'SYNC failed. BGSAVE child returned an error',
        'BGSAVE for replication failed',
      ),
      ...by('every Redis and KeyDB', "SYNC failed. Can't open/stat DB after BGSAVE: {error}"),
      ...by(
        VALKEY,
        "SYNC failed. Can't open DB after BGSAVE: {error}",
        "SYNC failed. Can't stat DB after BGSAVE: {error}",
      ),
    ],
    means:
      'the master could not make the snapshot that a replica asked for. Its own saves fail for the same reason; the lines before say which.',
    risk: 'at-risk',
    data: 'the master holds everything in memory; neither its disk nor the replica is up to date',
    never: [NO_RESTART],
    remedies: [SPACE, { why: 'see how the saves go', command: 'redis-cli INFO persistence' }, LOOK_RDB],
  },
  {
    id: 'replica/log-off',
    severity: 'fatal',
    says: [
      ...by(
        OLD,
        "FATAL: this slave instance finished the synchronization with its master, but the AOF can't be turned on. Exiting now.",
      ),
      ...by(
        'Redis 5.0 to 7.4, KeyDB',
        "FATAL: this replica instance finished the synchronization with its master, but the AOF can't be turned on. Exiting now.",
      ),
      ...by(
        VALKEY,
        "FATAL: this replica instance finished the synchronization with its primary, but the AOF can't be turned on. Exiting now.",
      ),
      ...by('Redis 8.8', "FATAL: AOF can't be turned on. Exiting now."),
      ...by(
        'Redis 2.8 to 7.4, KeyDB',
        'Failed enabling the AOF after successful master synchronization! Trying it again in one second.',
      ),
    ],
    means: "the replica has its master's dataset, could not begin its own append-only file, and ended.",
    risk: 'none',
    data: 'the master is whole',
    never: [NO_DELETE],
    remedies: [SPACE, { why: 'see who owns what', command: 'ls -ln {dir} {dir}/appendonlydir' }, IS_IT_GOOD],
  },
  {
    id: 'replica/removed-rdb',
    severity: 'warning',
    says: [
      ...by(
        'Redis 6.0 and later',
        'Removing the RDB file obtained from the master. This replica has persistence disabled',
      ),
      ...by(VALKEY, 'Removing the RDB file obtained from the primary. This replica has persistence disabled'),
      ...by(
        'Redis 6.0 and later, Valkey',
        'Removing the RDB file used to feed replicas in a persistence-less instance',
      ),
    ],
    means:
      'the server deletes an RDB because it is not to keep any data on its disk (`rdb-del-sync-files yes`, no save points, no log).',
    risk: 'at-risk',
    data: 'nothing on this machine survives a restart, by configuration',
    never: ['do not count this machine among your backups'],
    remedies: [
      { why: 'take one over the network', command: 'redis-cli --rdb backup.rdb' },
      { why: 'and see that it is whole', command: 'rekindle check backup.rdb' },
    ],
  },
];
