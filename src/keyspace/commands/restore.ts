import type { Long } from '../../bytes/int64.js';
import { FormatError } from '../../errors.js';
import { KeyHead } from '../../model/handler.js';
import type { DialectName } from '../../rdb/dialect.js';
import { PayloadDecoder } from '../../rdb/payload.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { indexAt, longAt, sumOf } from '../integers.js';
import { KeyspaceLoader } from '../load.js';
import { APPLIED, FAILED, type Outcome, UNKNOWN } from '../outcome.js';
import type { CommandRow } from './row.js';

/** Commands that carry a value as DUMP gives it. */
export const restoreCommands: readonly CommandRow[] = [
  { name: 'RESTORE', arity: -4, apply: restore },
  { name: 'RESTORE-ASKING', arity: -4, apply: restore },
];

const decoders = new Map<DialectName, PayloadDecoder>();
const head = new KeyHead();

/** RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ counter]; eviction hints are not kept. */
function restore(engine: Engine, command: CommandSpans): Outcome {
  let replaces = false;
  let absolute = false;
  let hint = 0;
  for (let i = 4; i < command.argc; i++) {
    if (command.is(i, 'REPLACE')) replaces = true;
    else if (command.is(i, 'ABSTTL')) absolute = true;
    else if (isHint(command, i)) {
      // One of them may come again, but not the other, too.
      if (hint !== 0 && hint !== command.size(i)) return engine.syntaxError();
      hint = command.size(i++);
    } else return engine.syntaxError();
  }
  const there = engine.find(command, 1);
  if (there >= 0 && !replaces) return engine.fail('BUSYKEY Target key name already exists.');
  const ttl = longAt(command, 2);
  if (ttl === null) return engine.notInteger();
  if (ttl < 0) return engine.fail('ERR Invalid TTL value, must be >= 0');
  const expiresAtMs = ttl === 0 || absolute ? ttl : sumOf(ttl, engine.nowMs);
  if (expiresAtMs === null) return engine.fail('ERR Invalid TTL value, must be >= 0');
  return place(engine, command, expiresAtMs);
}

/** IDLETIME seconds or FREQ 0 to 255 at argument i, with its value behind it. */
function isHint(command: CommandSpans, i: number): boolean {
  if (i + 1 >= command.argc) return false;
  const value = indexAt(command, i + 1);
  if (command.is(i, 'IDLETIME')) return value >= 0;
  return command.is(i, 'FREQ') && value >= 0 && value <= 255;
}

function decoderFor(product: DialectName): PayloadDecoder {
  let decoder = decoders.get(product);
  if (decoder === undefined) decoders.set(product, (decoder = new PayloadDecoder({ product, deep: false })));
  return decoder;
}

/** Decodes beside the keyspace first, so that a bad payload leaves the key as it was. */
function place(engine: Engine, command: CommandSpans, expiresAtMs: Long): Outcome {
  const { scratch } = engine.keyspace;
  const { bytes } = command;
  const start = command.starts[1]!;
  const end = command.ends[1]!;
  head.key.set(bytes, start, end);
  head.hasExpiry = false;
  let problem = '';
  let known = true;
  try {
    const loader = new KeyspaceLoader(engine.keyspace, engine.thresholds).into(scratch);
    decoderFor(engine.product).value(bytes, command.starts[3]!, command.ends[3]!, head, loader);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    problem = error.code;
    // A newer server or another product took what is not known here: that is not known, not refused.
    known = error.code !== 'rdb/unsupported-version' && error.code !== 'rdb/unknown-type';
  }
  const made = scratch.find(bytes, start, end);
  if (problem !== '' || made < 0) {
    if (made >= 0) scratch.delete(made);
    engine.lastError = `ERR Bad data format: ${problem === '' ? 'rdb/empty-value' : problem}`;
    return known ? FAILED : UNKNOWN;
  }
  if (expiresAtMs !== 0) scratch.setExpiry(made, expiresAtMs);
  scratch.move(made, engine.db, bytes, start, end);
  return APPLIED;
}
