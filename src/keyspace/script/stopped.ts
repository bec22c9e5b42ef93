import type { ErrorDetail } from '../../errors.js';
import type { FindingCode } from '../../model/finding.js';

/** Why a script could not be executed as a server would: what is found, and its details. */
export interface Obstacle {
  readonly code: FindingCode;
  readonly detail: ErrorDetail;
}

/**
 * Ends a script that cannot go on here. No `pcall` of the script catches it, and the Lua state it passed through is not
 * to be used again.
 */
export class ScriptStopped extends Error {
  override readonly name = 'ScriptStopped';

  constructor(readonly obstacle: Obstacle) {
    super(obstacle.code);
  }
}
