import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: ((options?: { readonly type: 'minor' }) => void) | null = null;

/** Collects the garbage of this thread now. */
export function reclaimMemory(): void {
  collector()();
}

/** The same of what was allocated last, which takes a moment: before the memory for it has been used up. */
export function reclaimYoung(): void {
  collector()({ type: 'minor' });
}

/** A flag that can still be given makes the function for it show in new contexts. */
function collector(): NonNullable<typeof collect> {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as NonNullable<typeof collect>;
  }
  return collect;
}
