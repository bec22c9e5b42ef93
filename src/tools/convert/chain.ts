import { UsageError } from '../../errors.js';
import type { ItemHandler } from '../../model/handler.js';
import { type KeyConditions, KeyFilter } from '../filter.js';
import { KeyGate, SizeGate } from '../gate.js';
import { Transformer, type Transforms } from './transform.js';

/** What is done to every key on its way. */
export interface ChainOptions {
  readonly conditions: KeyConditions;
  readonly transforms: Transforms;
}

/**
 * The filters, and behind them what changes names and times, in front of `last`. `savedAtMs`: when the source says that it
 * was saved, null when it does not.
 *
 * @throws UsageError when times are to count from then and it is not known
 */
export function chainTo(
  last: ItemHandler,
  { conditions, transforms }: ChainOptions,
  savedAtMs: number | null,
  nowMs: number,
): ItemHandler {
  const unchanged = transforms.ttl === null && transforms.rename.length + transforms.databases.size === 0;
  if (transforms.ttl?.kind === 'now' && savedAtMs === null) {
    throw new UsageError(
      '--ttl now: the source does not say when it was saved',
      'give --ttl shift:SECONDS, the time that passed since',
    );
  }
  const changed = unchanged ? last : new Transformer(last, transforms, savedAtMs ?? 0);
  const sized = conditions.minSizeBytes > 0 ? new SizeGate(changed, conditions.minSizeBytes) : changed;
  const filter = new KeyFilter(conditions, nowMs);
  return filter.open ? sized : new KeyGate(sized, filter);
}
