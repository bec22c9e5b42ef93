import { by, type ServerMessage } from './message.js';
import { IS_IT_GOOD, LOOK_RDB, NO_DELETE, NO_RESTART, WEIGH_ALL } from './remedies.js';

const ANY = 'every Redis, Valkey and KeyDB';
const SINCE_6 = 'Redis 6.0 and later, Valkey, KeyDB';

/** What servers (and the system around them) say of memory, of crashes and of the kernel; and when a run begins. */
export const MACHINE_MESSAGES: readonly ServerMessage[] = [
  {
    id: 'machine/start',
    severity: 'info',
    role: 'start',
    says: [
      ...by('Redis 4.0 and later', 'oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo'),
      ...by('Valkey', 'oO0OoO0OoO0Oo Valkey is starting oO0OoO0OoO0Oo'),
      ...by('KeyDB', 'oO0OoO0OoO0Oo KeyDB is starting oO0OoO0OoO0Oo'),
      ...by('Redis 2.4 to 3.2', 'Server started, Redis version {serverVersion}'),
    ],
    means: 'a server starts here; what it says about its files follows.',
    risk: 'none',
    data: 'nothing is wrong',
    never: [],
    remedies: [IS_IT_GOOD],
  },
  {
    id: 'machine/version',
    severity: 'info',
    role: 'context',
    says: [
      ...by('Redis 4.0 and later', 'Redis version={serverVersion}, bits='),
      ...by('Valkey', 'Valkey version={valkeyVersion}, bits='),
      ...by('KeyDB', 'KeyDB version={keydbVersion}, bits='),
    ],
    means: 'the server tells its version.',
    risk: 'none',
    data: 'nothing is wrong',
    never: [],
    remedies: [{ why: 'see which of its files it can load', command: 'rekindle info {dir}' }],
  },
  {
    id: 'machine/ready',
    severity: 'info',
    role: 'up',
    says: [
      ...by('Redis 4.0 and later, Valkey, KeyDB', 'Ready to accept connections'),
      ...by('Redis 2.4 to 3.2', 'The server is now ready to accept connections'),
    ],
    means: 'the server has loaded its files, or found none, and takes connections.',
    risk: 'none',
    data: 'nothing is wrong; whether it found its data, the lines before say (`DB loaded from …`), and so does DBSIZE',
    never: [],
    remedies: [
      { why: 'compare with the number of keys in its files', command: 'redis-cli INFO keyspace' },
      { why: 'which are', command: 'rekindle info {dir}' },
    ],
  },
  {
    id: 'machine/loading',
    severity: 'info',
    says: [
      ...by('every Redis and KeyDB', 'LOADING Redis is loading the dataset in memory'),
      ...by('Valkey', 'LOADING {product} is loading the dataset in memory'),
    ],
    means: 'a client asked while the server was still reading its files. It answers once that is done.',
    risk: 'none',
    data: 'nothing is wrong',
    never: ['do not restart it because it takes long: it would begin anew'],
    remedies: [{ why: 'see how far it is', command: 'redis-cli INFO persistence' }],
  },
  {
    id: 'machine/out-of-memory',
    severity: 'fatal',
    says: [
      ...by(ANY, 'Out Of Memory allocating {#bytes} bytes!'),
      ...by('Redis 2.6 to 5.0', 'Redis aborting for OUT OF MEMORY'),
      ...by(SINCE_6, '{product} aborting for OUT OF MEMORY. Allocating {#bytes} bytes!'),
    ],
    means:
      'the server asked for {bytes|more} bytes, did not get them, and ended. While it loads a file, a number that is absurdly large means a damaged length in that file, not too small a machine.',
    risk: 'at-risk',
    data: 'the files are as they were; what was not saved before is gone',
    never: ['do not buy memory before the file has been checked, when it happened at the start'],
    remedies: [IS_IT_GOOD, LOOK_RDB, WEIGH_ALL],
  },
  {
    id: 'machine/oom-killed',
    severity: 'fatal',
    says: [
      ...by(
        'the Linux kernel',
        'Out of memory: Killed process {#pid} ({process})',
        'Out of memory: Kill process {#pid} ({process})',
      ),
      ...by('the Linux kernel', 'Memory cgroup out of memory: Killed process {#pid} ({process})'),
      ...by('systemd', 'Main process exited, code=killed, status=9/KILL', "Failed with result 'oom-kill'"),
      ...by('Docker, Kubernetes', 'OOMKilled'),
    ],
    means:
      'the kernel ended the process {process|of the server}, because memory ran out. The server could say nothing and save nothing; in the worst moment it was writing its files.',
    risk: 'lost',
    data: 'with an append-only file at most the last second; without, everything since the last save',
    never: [NO_DELETE],
    remedies: [WEIGH_ALL, IS_IT_GOOD, { why: 'see what takes the memory', command: 'rekindle memory {dir}' }],
  },
  {
    id: 'machine/maxmemory',
    severity: 'error',
    says: by('every Redis and Valkey', "OOM command not allowed when used memory > 'maxmemory'"),
    means:
      'a client was refused a write: the server holds as much as `maxmemory` allows, and its policy evicts nothing (or nothing fits it).',
    risk: 'none',
    data: 'nothing is lost',
    never: ['do not switch to an allkeys policy before you know that every key may be thrown away'],
    remedies: [
      {
        why: 'see which keys and prefixes take the memory, from a snapshot',
        command: 'rekindle memory {rdb}',
      },
      { why: 'see how much may be taken', command: 'redis-cli CONFIG GET maxmemory*' },
    ],
  },
  {
    id: 'machine/overcommit',
    severity: 'warning',
    says: [
      ...by(
        'Redis 2.4 to 6.0, KeyDB',
        'overcommit_memory is set to 0! Background save may fail under low memory condition.',
      ),
      ...by(
        'Redis 6.2 and later, Valkey',
        'Memory overcommit must be enabled! Without it, a background save or replication may fail',
      ),
    ],
    means:
      'the kernel is set to refuse memory that a process might need: a save forks, and the fork can be refused though hardly anything more is used.',
    risk: 'none',
    data: 'nothing is lost; saves may fail when you need them',
    never: [],
    remedies: [
      {
        why: 'let the kernel fork (and in /etc/sysctl.conf, to stay so)',
        command: 'sysctl vm.overcommit_memory=1',
      },
    ],
  },
  {
    id: 'machine/huge-pages',
    severity: 'warning',
    says: by(
      'Redis 2.8 and later, Valkey, KeyDB',
      'you have Transparent Huge Pages (THP) support enabled in your kernel.',
    ),
    means:
      'with transparent huge pages a save copies two megabytes for every byte that is changed meanwhile: it takes long and can exhaust the memory.',
    risk: 'none',
    data: 'nothing is lost',
    never: [],
    remedies: [
      {
        why: 'switch them off, then restart the server',
        command: "sh -c 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled'",
      },
    ],
  },
  {
    id: 'machine/kernel-bug',
    severity: 'fatal',
    says: by(
      'Redis 6.0 and later, Valkey',
      'Your kernel has a bug that could lead to data corruption during background save.',
    ),
    means:
      'on this ARM64 kernel memory of the child can change while it saves: the RDB or the rewritten log it writes may hold wrong values.',
    risk: 'at-risk',
    data: 'files saved on this machine may be damaged although they look whole',
    never: ['do not pass over it with ignore-warnings ARM64-COW-BUG'],
    remedies: [IS_IT_GOOD, { why: 'upgrade the kernel; see which it is', command: 'uname -r' }],
  },
  {
    id: 'machine/crash',
    severity: 'fatal',
    role: 'general',
    says: [
      ...by('every Redis', '=== REDIS BUG REPORT START: Cut & paste starting from here ==='),
      ...by('Valkey', '=== VALKEY BUG REPORT START: Cut & paste starting from here ==='),
      ...by('KeyDB', '=== KEYDB BUG REPORT START: Cut & paste starting from here ==='),
      ...by(ANY, 'crashed by signal: {#signal}', '=== ASSERTION FAILED'),
      ...by(ANY, '!!! Software Failure. Press left mouse button to continue'),
      ...by('the C library', 'malloc(): corrupted top size', 'double free or corruption', 'free(): invalid'),
      ...by('the shell, systemd', 'Segmentation fault', 'Main process exited, code=dumped, status=11/SEGV'),
    ],
    means:
      'the server crashed. If it was loading a file (the lines before say so), a damaged value in that file is the likeliest reason.',
    risk: 'at-risk',
    data: 'the files are as they were; what was not saved before is gone',
    never: [NO_DELETE, 'do not let it restart in a loop: each start may cut the log a little more'],
    remedies: [IS_IT_GOOD, WEIGH_ALL],
  },
  {
    id: 'machine/panic',
    severity: 'fatal',
    role: 'general',
    says: [
      ...by(ANY, 'Guru Meditation: {reason} #{source}'),
      ...by(ANY, "==> {source} '{reason}' is not true"),
    ],
    means:
      'the server ended itself, because something was as it must never be: {reason}. While it loads a file, a damaged value in that file is the likeliest cause.',
    risk: 'at-risk',
    data: 'the files are as they were',
    never: [NO_DELETE],
    remedies: [IS_IT_GOOD, WEIGH_ALL],
  },
  {
    id: 'machine/memory-broken',
    severity: 'fatal',
    says: by(ANY, 'MEMORY ERROR DETECTED! Check your memory ASAP'),
    means:
      'the memory test after a crash failed: the RAM of this machine is broken. Values may have changed in memory and been saved so, with a checksum that is right for the wrong bytes.',
    risk: 'at-risk',
    data: 'do not trust files saved lately on this machine, even where check finds them intact',
    never: [NO_RESTART],
    remedies: [
      { why: 'see how the last backup from before differs', command: 'rekindle diff backup.rdb {rdb}' },
      IS_IT_GOOD,
    ],
  },
];
