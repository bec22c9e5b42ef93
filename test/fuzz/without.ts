import { workerData } from 'node:worker_threads';
import type * as Works from './twin.js';

let twin: Promise<typeof Works> | null = null;

/** The same work without WebAssembly; where nothing was bundled, the same work again. */
export function withoutKernels(): Promise<typeof Works> {
  const path = (workerData as { twin?: string } | null)?.twin;
  twin ??= path === undefined ? import('./twin.js') : (import(path) as Promise<typeof Works>);
  return twin;
}
