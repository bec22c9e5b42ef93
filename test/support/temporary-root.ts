import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly temporaryRoot: string;
  }
}

/**
 * One directory for everything a run of tests writes, removed when all of it has ended. Test files share their worker's
 * modules, unpacked archives included, so none of them can say when a directory is no longer wanted.
 */
export function setup(project: TestProject): () => Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'rekindle-tests-'));
  project.provide('temporaryRoot', root);
  // Without blocking: the workers end meanwhile, and vitest has to hear of it.
  return () => rm(root, { recursive: true, force: true });
}
