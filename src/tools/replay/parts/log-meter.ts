import type { AofSet } from '../../../aof/set.js';
import type { ToolContext } from '../../context.js';

/** So many parts that each will do, by the share of the log at which all were too much. */
export function piecesFor(share: number): number {
  return Math.min(16, Math.max(2, Math.ceil(1.25 / Math.max(share, 0.01))));
}

/** How much of a log was read. */
export class LogMeter {
  share = 0;
  readonly context: ToolContext;
  private readonly before = new Map<string, number>();
  private readonly total: number;

  constructor(set: AofSet, context: ToolContext) {
    let sum = 0;
    for (const { path, size } of set.files) {
      this.before.set(path, sum);
      sum += size ?? 0;
    }
    this.total = sum;
    this.context = {
      ...context,
      progress: (progress) => {
        const done = (this.before.get(progress.label) ?? 0) + progress.done;
        this.share = this.total === 0 ? 0 : Math.min(1, done / this.total);
        context.progress(progress);
      },
    };
  }
}
