import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TESTDATA = fileURLToPath(new URL('../../testdata/', import.meta.url));

/** An absolute path in testdata. */
export function testdata(...path: string[]): string {
  return join(TESTDATA, ...path);
}
