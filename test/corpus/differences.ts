import type { Verdict } from '../../src/model/verdict.js';

/** A verdict that deliberately differs from what the server did that was started on the file. */
export interface Difference {
  /** As the folders in the archives are called. */
  readonly cases: readonly string[];
  /** By the name of the folder; all servers whose own verdict is another. */
  readonly servers?: RegExp;
  readonly ours: Verdict;
  readonly why: string;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    cases: ['aof-bad-arity'],
    servers: /^redis-7\.4/,
    ours: 'refused',
    why: 'the server executes a SET without its value: it takes what lies behind it in memory; others crash or refuse',
  },
  {
    cases: ['aof-discard-in-multi'],
    servers: /^redis-[23]\./,
    ours: 'refused',
    why: 'the server drops the transaction without a word; those since 4.0 crash',
  },
  {
    cases: ['aof-wrong-type'],
    ours: 'intact',
    why: 'whether a command fits the value it meets shows when it is executed: `replay` tells',
  },
  {
    cases: ['aof-bad-select', 'rdb-bad-selectdb'],
    ours: 'intact',
    why: 'how many databases there are is configuration (`databases`), not part of the file; this server had 16',
  },
  {
    cases: ['rdb-dup-key'],
    servers: /^keydb-/,
    ours: 'refused',
    why: 'KeyDB drops the second of the two and says so; every Redis and Valkey aborts',
  },
  {
    cases: ['aof-exec-without-multi', 'aof-nested-multi', 'aof-multi-no-exec-middle'],
    servers: /^redis-[2-5]\.|^valkey-/,
    ours: 'loss',
    why: 'the server refuses the command without a word in its log; what belonged together did not run together',
  },
  {
    cases: ['aof-len-huge'],
    servers: /^redis-7\.0/,
    ours: 'refused',
    why: 'this server took the rest of the log for a torn tail and cut it; all others die of the length',
  },
  {
    cases: ['manifest-base-empty'],
    ours: 'loss',
    why: 'the server takes the base for one that held nothing, and starts without a word and without its keys',
  },
  {
    cases: ['rdb-bitflip-4-crcfixed'],
    servers: /^redis-4\.0/,
    ours: 'refused',
    why: 'a member twice, which this server loads unseen, and later ones refuse',
  },
  {
    cases: ['rdb-bitflip-3-crcfixed'],
    servers: /^redis-6\.2/,
    ours: 'refused',
    why: 'entries of a stream whose ids do not ascend: this server loads and serves them unseen, and answers ranges wrongly',
  },
];
