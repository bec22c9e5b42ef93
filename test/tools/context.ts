import type { Progress, ToolContext } from '../../src/tools/context.js';
import { CORPUS_NOW } from '../support/corpus.js';

/** Surroundings with the corpus's clock; `told` gathers the progress. */
export function testContext(given: Partial<ToolContext> = {}, told: Progress[] = []): ToolContext {
  return {
    nowMs: CORPUS_NOW * 1000,
    clock: () => 0,
    signal: new AbortController().signal,
    progress: (progress) => told.push(progress),
    memoryBytes: Number.POSITIVE_INFINITY,
    heldBytes: () => 0,
    ...given,
  };
}
