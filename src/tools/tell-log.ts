import { NO_CUT } from '../aof/cut.js';
import type { AofSet } from '../aof/set.js';
import { END } from '../bytes/window.js';
import { Walk } from '../keyspace/walk.js';
import type { ToolContext } from './context.js';
import { rebuild } from './rebuild.js';
import { type DatasetListener, type TellOptions, type Told, tellProducer } from './tell-source.js';

/** Tells the dataset that a log leaves when it is executed, the aux field first that names the server of its base. */
export async function tellLog(
  set: AofSet,
  listener: DatasetListener,
  { dialect, onUnknown }: TellOptions,
  context: ToolContext,
): Promise<Told> {
  const options = { cut: NO_CUT, as: null, onUnknown, dialect };
  const { keyspace, producer, skipped, dropped, end } = await rebuild(set, options, context);
  if (producer !== null) tellProducer(producer, listener);
  const walk = new Walk(keyspace, listener);
  while (walk.run() !== END) {
    await listener.drain();
    context.signal.throwIfAborted();
  }
  return { skipped, dropped, findings: end.findings };
}
