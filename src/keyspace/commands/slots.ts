import { ByteSlice } from '../../bytes/slice.js';
import { SLOTS, slotOf } from '../../kernels/crc16.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { indexAt } from '../integers.js';
import { APPLIED, FAILED, type Outcome } from '../outcome.js';
import type { CommandRow } from './row.js';

/** Commands of cluster nodes, as they log that keys of some slots have gone or moved to another node. */
export const slotCommands: readonly CommandRow[] = [
  { name: 'TRIMSLOTS', arity: -5, apply: trimSlots },
  { name: 'SFLUSH', arity: -3, apply: flushRanges },
  { name: 'CLUSTER', arity: -2, apply: cluster },
];

/** Which slots to empty. One object serves all commands. */
const chosen = new Uint8Array(SLOTS);
const key = new ByteSlice();

/** Chooses the slots of the pairs in arguments `from` to `to` (excluded); FAILED when these are none. */
function choose(engine: Engine, command: CommandSpans, from: number, to: number): Outcome {
  if (to - from < 2 || (to - from) % 2 !== 0) {
    return engine.wrongArity(command.latin1(0).toLowerCase());
  }
  chosen.fill(0);
  for (let i = from; i < to; i += 2) {
    const first = slotAt(command, i);
    const last = slotAt(command, i + 1);
    if (first < 0 || last < 0) return engine.fail(NO_SLOT);
    if (first > last) {
      return engine.fail(`ERR start slot number ${first} is greater than end slot number ${last}`);
    }
    if (chosen.indexOf(1, first) >= 0 && chosen.indexOf(1, first) <= last) {
      return engine.fail('ERR Slot specified multiple times');
    }
    chosen.fill(1, first, last + 1);
  }
  return APPLIED;
}

const NO_SLOT = 'ERR Invalid or out of range slot';

function slotAt(command: CommandSpans, i: number): number {
  const slot = indexAt(command, i);
  return slot >= 0 && slot < SLOTS ? slot : -1;
}

/** Deletes the keys of the chosen slots in all databases. */
function emptyChosen(engine: Engine): Outcome {
  for (const index of engine.keyspace.indexes()) {
    const db = engine.keyspace.database(index);
    for (let entry = 0; entry < db.entriesEnd; entry++) {
      if (!db.isLive(entry)) continue;
      db.keyAt(entry, key);
      if (chosen[slotOf(key.bytes, key.start, key.end)] === 1) db.delete(entry);
    }
  }
  return APPLIED;
}

/** TRIMSLOTS RANGES n first last … of Redis 8.4. */
function trimSlots(engine: Engine, command: CommandSpans): Outcome {
  if (!command.is(1, 'RANGES')) return engine.fail('ERR missing ranges argument');
  const count = indexAt(command, 2);
  if (Number.isNaN(count)) return engine.notInteger();
  if (count < 1 || command.argc !== 3 + count * 2) return engine.fail('ERR invalid number of ranges');
  return choose(engine, command, 3, command.argc) === FAILED ? FAILED : emptyChosen(engine);
}

/** SFLUSH first last … [ASYNC | SYNC] of Redis 8.0. */
function flushRanges(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  const to = command.is(argc - 1, 'ASYNC') || command.is(argc - 1, 'SYNC') ? argc - 1 : argc;
  return choose(engine, command, 1, to) === FAILED ? FAILED : emptyChosen(engine);
}

/**
 * CLUSTER FLUSHSLOT slot [ASYNC | SYNC] of Valkey 9. Other subcommands are about the node: SYNCSLOTS FINISH, which is
 * logged too, says that an import of slots ended, whose keys came, or go, by commands of their own.
 */
function cluster(engine: Engine, command: CommandSpans): Outcome {
  if (!command.is(1, 'FLUSHSLOT')) return APPLIED;
  const { argc } = command;
  if (argc < 3 || argc > 4) return engine.wrongArity('cluster|flushslot');
  if (argc === 4 && !command.is(3, 'ASYNC') && !command.is(3, 'SYNC')) return engine.syntaxError();
  const slot = slotAt(command, 2);
  if (slot < 0) return engine.fail(NO_SLOT);
  chosen.fill(0);
  chosen[slot] = 1;
  return emptyChosen(engine);
}
