import type { ByteSlice } from '../../bytes/slice.js';
import { FormatError } from '../../errors.js';
import { ItemSink } from '../../model/handler.js';
import { PayloadDecoder } from '../../rdb/payload.js';
import type { CommandSpans } from '../../resp/command.js';
import type { Engine } from '../engine.js';
import { libraryName } from '../library.js';
import { APPLIED, FAILED, type Outcome, UNKNOWN } from '../outcome.js';
import type { CommandRow } from './row.js';

/**
 * Function libraries: kept and moved, never run. FCALL is unknown to the engine: servers log what a function did, not
 * the call.
 */
export const functionCommands: readonly CommandRow[] = [
  { name: 'FUNCTION', arity: -2, apply: applyFunction },
];

const NOTHING_CHANGES = ['DUMP', 'HELP', 'KILL', 'LIST', 'STATS'];

function applyFunction(engine: Engine, command: CommandSpans): Outcome {
  const { argc } = command;
  const { functions } = engine.keyspace;
  if (command.is(1, 'LOAD') && argc >= 3) return load(engine, command);
  if (command.is(1, 'DELETE') && argc === 3) {
    return functions.delete(command.latin1(2)) ? APPLIED : engine.fail('ERR Library not found');
  }
  if (
    command.is(1, 'FLUSH') &&
    (argc === 2 || (argc === 3 && (command.is(2, 'ASYNC') || command.is(2, 'SYNC'))))
  ) {
    functions.clear();
    return APPLIED;
  }
  if (command.is(1, 'RESTORE') && (argc === 3 || argc === 4)) return restore(engine, command);
  if (NOTHING_CHANGES.some((name) => command.is(1, name))) return APPLIED;
  return engine.fail('ERR unknown subcommand or wrong number of arguments for FUNCTION');
}

function load(engine: Engine, command: CommandSpans): Outcome {
  const i = command.argc - 1;
  const replaces = i > 2;
  for (let k = 2; k < i; k++) if (!command.is(k, 'REPLACE')) return engine.syntaxError();
  const code = Buffer.from(command.bytes.subarray(command.starts[i]!, command.ends[i]!));
  const name = libraryName(code);
  if (name === null) return engine.fail('ERR Missing or invalid library metadata');
  const { functions } = engine.keyspace;
  if (!replaces && functions.has(name)) return engine.fail(`ERR Library '${name}' already exists`);
  functions.set(name, code);
  return APPLIED;
}

/** Gathers the libraries of a payload. */
class Libraries extends ItemSink {
  readonly byName = new Map<string, Buffer>();
  complete = true;

  override functionLibrary(code: ByteSlice): void {
    const owned = code.copy();
    const name = libraryName(owned);
    if (name === null || this.byName.has(name)) this.complete = false;
    else this.byName.set(name, owned);
  }
}

const decoder = new PayloadDecoder({ product: 'redis', deep: false });

/** All libraries of the payload or none. */
function restore(engine: Engine, command: CommandSpans): Outcome {
  const flushes = command.argc === 4 && command.is(3, 'FLUSH');
  const replaces = command.argc === 4 && command.is(3, 'REPLACE');
  if (command.argc === 4 && !flushes && !replaces && !command.is(3, 'APPEND')) {
    return engine.fail('ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.');
  }
  const libraries = new Libraries();
  try {
    decoder.functions(command.bytes, command.starts[2]!, command.ends[2]!, libraries);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    engine.lastError = `ERR DUMP payload version or checksum are wrong: ${error.code}`;
    // A newer server took what is too new for us: that is not known, not refused.
    return error.code === 'rdb/unsupported-version' ? UNKNOWN : FAILED;
  }
  if (!libraries.complete) return engine.fail('ERR Missing or invalid library metadata');
  const { functions } = engine.keyspace;
  if (!flushes && !replaces) {
    for (const name of libraries.byName.keys()) {
      if (functions.has(name)) return engine.fail(`ERR Library ${name} already exists`);
    }
  }
  if (flushes) functions.clear();
  for (const [name, code] of libraries.byName) functions.set(name, code);
  return APPLIED;
}
