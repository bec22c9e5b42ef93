import { by, type ServerMessage } from './message.js';
import { LOOK_LOG, MEND_LOG, NO_FIX, SKIP_LOG, WEIGH_ALL, WEIGH_WAYS } from './remedies.js';

const ANY = 'every redis-check-aof';
const OLD = 'redis-check-aof up to 6.2';
const NEW = 'redis-check-aof since 7.0, valkey-check-aof';

const DAMAGED: Pick<ServerMessage, 'severity' | 'risk' | 'data' | 'never' | 'remedies'> = {
  severity: 'error',
  risk: 'at-risk',
  data: 'the checker looks no further than the first bad byte: mostly, what stands behind it is whole',
  never: [NO_FIX],
  remedies: [LOOK_LOG, WEIGH_WAYS, MEND_LOG, SKIP_LOG],
};

/** What redis-check-aof and valkey-check-aof print. */
export const CHECKER_MESSAGES: readonly ServerMessage[] = [
  {
    ...DAMAGED,
    id: 'checker/not-valid',
    says: [
      ...by(NEW, 'AOF {file} is not valid. Use the --fix option to try fixing it.'),
      ...by('redis-check-aof 4.0 to 6.2', 'AOF is not valid. Use the --fix option to try fixing it.'),
      ...by('redis-check-aof up to 3.2', 'AOF is not valid'),
    ],
    means:
      'the log {file|given} is damaged, and the checker offers to cut it there. With --fix everything behind the first bad byte is gone: in one of our tests 32,635 of 32,780 bytes.',
  },
  {
    ...DAMAGED,
    id: 'checker/format',
    says: [
      ...by(
        NEW,
        'AOF {file} format error',
        'Expected to read string of {#bytes} bytes, which is not in the suitable range',
      ),
      ...by(ANY, "Expected prefix '{expected}', got: '{found}'", 'Expected \\r\\n, got: {found}'),
      ...by(ANY, 'Expected to read {#bytes} bytes, got {#gotten} bytes'),
    ],
    means:
      'the checker met bytes that are no command (the offset before them is in hexadecimal). A Valkey 9 base (VALKEY080) gives the same line although it is whole: valkey-check-aof does not know its own files.',
    never: [NO_FIX, 'do not run valkey-check-aof --fix on a .base.rdb: it empties the file'],
  },
  {
    ...DAMAGED,
    id: 'checker/multi',
    says: [
      ...by(ANY, 'Reached EOF before reading EXEC for MULTI'),
      ...by(NEW, 'Unexpected MULTI in AOF {file}', 'Unexpected EXEC in AOF {file}'),
      ...by(OLD, 'Unexpected MULTI', 'Unexpected EXEC'),
    ],
    means:
      'a transaction is not closed, or closed without having been opened. At the end of the log that is a crash in the middle of one; if the server once cut the file inside a transaction, everything written since stands behind the open MULTI and would go with --fix.',
    remedies: [
      { why: 'see what stands behind the open MULTI', command: 'rekindle log {log} --last 100' },
      WEIGH_WAYS,
      {
        why: 'drop the torn transaction alone and keep what follows it',
        command: 'rekindle repair {log} --strategy skip --out {log}-repaired',
      },
    ],
  },
  {
    ...DAMAGED,
    id: 'checker/analyzed',
    role: 'general',
    says: [
      ...by(
        NEW,
        'AOF analyzed: filename={file}, size={#size}, ok_up_to={#offset}, ok_up_to_line={#line}, diff={#diff}',
      ),
      ...by(
        'redis-check-aof 6.2',
        'AOF analyzed: size={#size}, ok_up_to={#offset}, ok_up_to_line={#line}, diff={#diff}',
      ),
      ...by('redis-check-aof up to 6.0', 'AOF analyzed: size={#size}, ok_up_to={#offset}, diff={#diff}'),
    ],
    means:
      'the log {file|given} reads up to offset {offset} of {size}; --fix would cut {diff} bytes away. If diff is 0 the file is whole as far as this checker looks.',
  },
  {
    ...DAMAGED,
    id: 'checker/shrink',
    severity: 'warning',
    says: [
      ...by(NEW, 'This will shrink the AOF {file} from {#from} bytes, with {#diff} bytes, to {#to} bytes'),
      ...by(OLD, 'This will shrink the AOF from {#from} bytes, with {#diff} bytes, to {#to} bytes'),
    ],
    means:
      'the checker asks whether it may cut {diff} of {from} bytes away, in place and without a backup. Answer n, and see first what those bytes are.',
  },
  {
    ...DAMAGED,
    id: 'checker/truncated',
    severity: 'warning',
    says: [...by(NEW, 'Successfully truncated AOF {file}'), ...by(OLD, 'Successfully truncated AOF')],
    means:
      'the checker has cut {file|the log} in place. What stood behind the cut is gone, unless a copy exists.',
    risk: 'lost',
    data: 'the bytes behind the cut are gone from the file',
    never: ['do not overwrite the copy you made before, if you made one: it holds what was cut away'],
    remedies: [
      { why: 'see that the rest is whole', command: 'rekindle check {log}' },
      {
        why: 'with a copy from before: see how much of it can be kept',
        command: 'rekindle repair copy-of-the-log',
      },
    ],
  },
  {
    ...DAMAGED,
    id: 'checker/not-last',
    says: by(
      NEW,
      'Failed to truncate AOF {file} because it is not the last file',
      'Failed to truncate AOF {file} to timestamp {#time} to offset {#offset} because it is not the last file.',
      'If you insist, please delete all files after this file according to the manifest file',
    ),
    means:
      'the damage (or the time asked for) lies in a file that others follow, and the checker cuts only the last one. It advises to delete the later files: those are the newest writes.',
    never: ['do not delete the later files', NO_FIX],
    remedies: [
      LOOK_LOG,
      SKIP_LOG,
      {
        why: 'to go back to a time instead',
        command: 'rekindle replay {log} --until-time 2026-03-01T12:00:00Z --out {log}-restored',
      },
    ],
  },
  {
    ...DAMAGED,
    id: 'checker/cut-failed',
    says: [
      ...by(
        NEW,
        'Failed to truncate AOF {file}',
        'Failed to truncate AOF {file} to timestamp {#time}',
        'Failed to fseek in AOF {file}: {error}',
      ),
      ...by(OLD, 'Failed to truncate AOF'),
    ],
    means: 'the checker could not cut the file: it may not write there, or the file system is read-only.',
    data: 'the file is as it was',
    remedies: [MEND_LOG, LOOK_LOG],
  },
  {
    ...DAMAGED,
    id: 'checker/preamble',
    says: by('redis-check-aof since 4.0', 'RDB preamble of AOF file is not sane, aborting.'),
    means:
      'the RDB that the log begins with is damaged. The checker gives up: it cannot mend that, with --fix or without.',
    remedies: [LOOK_LOG, SKIP_LOG, WEIGH_ALL],
  },
  {
    ...DAMAGED,
    id: 'checker/cannot-open',
    says: [
      ...by(NEW, 'Cannot open file {file}: {error}'),
      ...by(OLD, 'Cannot open file: {file}'),
      ...by(ANY, 'Cannot stat file: {file}'),
      ...by(
        NEW,
        'Failed to read from AOF {file}, aborting...',
        'Failed to read annotations from AOF {file}, aborting...',
      ),
      ...by('redis-check-dump of Redis 2.4 to 3.0', 'Cannot mmap: {error}', 'Cannot read header'),
    ],
    means:
      'the checker could not open or read {file|the file}. redis-check-aof opens what it checks for writing, and fails on a read-only mount or as another user; rekindle only reads.',
    data: 'the file is as it was',
    remedies: [LOOK_LOG],
  },
  {
    ...DAMAGED,
    id: 'checker/annotation',
    says: by(
      NEW,
      'Invalid timestamp annotation',
      'AOF {file} has nothing before timestamp {#time}, aborting...',
    ),
    means:
      'the log cannot be cut at that time: an annotation (`#TS:`) is not a number, or the file begins later.',
    remedies: [
      { why: 'see from when to when the log goes', command: 'rekindle info {log}' },
      {
        why: 'go back to a time across all files of the log',
        command: 'rekindle replay {log} --until-time 2026-03-01T12:00:00Z --out {log}-restored',
      },
    ],
  },
  {
    id: 'checker/valid',
    severity: 'info',
    says: [
      ...by(NEW, 'All AOF files and manifest are valid', 'AOF {file} is valid', 'AOF {file} is empty'),
      ...by(OLD, 'AOF is valid', 'Empty file: {file}'),
      ...by('redis-check-aof since 4.0', 'RDB preamble is OK, proceeding with AOF tail...'),
    ],
    means:
      'the checker found the framing right. It does not know commands: a log it calls valid can still be refused by the server (an unknown command, a wrong number of arguments).',
    risk: 'none',
    data: 'no danger is known',
    never: [],
    remedies: [{ why: 'verify what it does not look at', command: 'rekindle check {log}' }],
  },
];
