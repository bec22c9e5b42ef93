import type { Long } from '../../bytes/int64.js';
import { addLong } from '../../bytes/int64.js';
import type { StreamId } from '../../model/stream-id.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { indexAt, longAt } from '../integers.js';
import { APPLIED, type Outcome } from '../outcome.js';
import { idKey } from '../stream/group.js';
import type { CommandRow } from './row.js';
import { BAD_ID, idsAt, MOST_DELIVERIES, NO_GROUP, streamAt } from './streams-arguments.js';

/** Redis 8.8: consumers give pending entries back to their group. */
export const streamReleaseCommands: readonly CommandRow[] = [{ name: 'XNACK', arity: -7, apply: xnack }];

type Mode = 'SILENT' | 'FAIL' | 'FATAL';

const MODES: readonly Mode[] = ['SILENT', 'FAIL', 'FATAL'];

/** What an XNACK says behind its mode. One object serves all commands. */
const options = {
  ids: [] as readonly StreamId[],
  force: false,
  /** Null: not given. */
  deliveries: null as Long | null,
};

/** Reads `IDS n id … [RETRYCOUNT n] [FORCE]` from argument 4; returns an error message, or ''. */
function readOptions(command: CommandSpans): string {
  options.force = false;
  options.deliveries = null;
  let from = 0;
  let count = 0;
  for (let i = 4; i < command.argc; i++) {
    const last = i === command.argc - 1;
    if (!last && command.is(i, 'IDS')) {
      count = indexAt(command, i + 1);
      if (!(count > 0 && count <= COUNT_MAX)) return 'ERR numids must be a positive integer';
      from = i + 2;
      if (count > command.argc - from) return "ERR number of IDs doesn't match numids";
      i = from + count - 1;
    } else if (command.is(i, 'FORCE')) {
      options.force = true;
    } else if (!last && command.is(i, 'RETRYCOUNT')) {
      options.deliveries = longAt(command, ++i);
      if (options.deliveries === null) return 'ERR value is not an integer or out of range';
      if (options.deliveries < 0) return 'ERR Invalid RETRYCOUNT value, must be >= 0';
    } else {
      return `ERR Unrecognized XNACK option '${command.latin1(i)}'`;
    }
  }
  if (from === 0) return 'ERR syntax error, expected IDS keyword';
  const ids = idsAt(command, from, from + count);
  options.ids = ids ?? [];
  return ids === null ? BAD_ID : '';
}

const COUNT_MAX = 2 ** 31 - 1;

function xnack(engine: Engine, command: CommandSpans): Outcome {
  const stream = streamAt(engine, command, 1);
  if (stream === 'other') return engine.wrongType();
  const group = stream?.groups.get(command.latin1(2));
  if (stream === null || group === undefined) return engine.fail(NO_GROUP);
  const mode = MODES.find((each) => command.is(3, each));
  if (mode === undefined) return engine.fail('ERR mode must be SILENT, FAIL, or FATAL');
  const error = readOptions(command);
  if (error !== '') return engine.fail(error);
  const { pending } = group;
  for (const id of options.ids) {
    const key = idKey(id);
    let entry = pending.get(key);
    if (entry === undefined) {
      if (!options.force || !stream.entries.has(id)) continue;
      entry = pending.insert(key, 0, 0);
    }
    entry.deliveryCount = options.deliveries ?? deliveriesAfter(mode, entry.deliveryCount);
    pending.release(key, entry);
  }
  return APPLIED;
}

function deliveriesAfter(mode: Mode, deliveries: Long): Long {
  if (mode === 'FATAL') return MOST_DELIVERIES;
  return mode === 'SILENT' && deliveries !== 0 ? addLong(deliveries, -1) : deliveries;
}
