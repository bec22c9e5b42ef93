import { copyOf } from '../../aof/writer.js';
import type { ByteTarget } from '../../bytes/target.js';
import { writeSalvagedRdb } from '../../salvage/rdb-write.js';
import type { ToolContext } from '../context.js';
import type { FileOutcome } from './plan.js';

/** Writes the new content of a file, or for one that stays as it is all of it. Publishes nothing. */
export async function writeContent(
  { source, change, pieces }: FileOutcome,
  target: ByteTarget,
  context: ToolContext,
): Promise<void> {
  const all = change === 'keep' ? [{ kind: 'bytes', from: 0, to: null } as const] : pieces;
  for (const piece of all) {
    context.signal.throwIfAborted();
    if (piece.kind === 'text') target.write(piece.bytes);
    else if (source === null) continue;
    else if (piece.kind === 'rdb') {
      const { survey, doubtful, partial } = piece;
      const { signal } = context;
      const progress = (done: number) =>
        context.progress({ phase: 'writing', label: target.label, done, total: source.size });
      await writeSalvagedRdb(source, survey, target, { doubtful, partial, signal, progress });
    } else await copyOf(source, piece.from, piece.to)(target);
  }
}
