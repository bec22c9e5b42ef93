import { mkdtempSync, statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly temporaryRoot: string;
  }
}

const IN_MEMORY = '/dev/shm';
const TMPFS = 0x01021994;
/** Several times what a run writes. */
const ENOUGH_BYTES = 6e9;

/** In memory where there is plenty, as most of what tests wait for is the medium; a TMPDIR that was given decides. */
function roomForFiles(): string {
  if (process.env['TMPDIR'] !== undefined || freemem() < ENOUGH_BYTES) return tmpdir();
  try {
    const { type, bavail, bsize } = statfsSync(IN_MEMORY);
    return type === TMPFS && bavail * bsize >= ENOUGH_BYTES ? IN_MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

/**
 * One directory for everything a run of tests writes, removed when all of it has ended. Test files share their worker's
 * modules, unpacked archives included, so none of them can say when a directory is no longer wanted.
 */
export function setup(project: TestProject): () => Promise<void> {
  const root = mkdtempSync(join(roomForFiles(), 'rekindle-tests-'));
  project.provide('temporaryRoot', root);
  // Without blocking: the workers end meanwhile, and vitest has to hear of it.
  return () => rm(root, { recursive: true, force: true });
}
