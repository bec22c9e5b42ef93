import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/** A new empty directory that is removed when the run has ended. */
export function temporaryDirectory(purpose: string): string {
  return mkdtempSync(join(inject('temporaryRoot'), `rekindle-${purpose}-`));
}
