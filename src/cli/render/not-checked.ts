import type { NotChecked } from '../../tools/report.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';

/** Says on standard error what was not verified, once for all files of which the same holds. */
export function noteNotChecked(list: readonly NotChecked[], session: Session): void {
  const groups = new Map<string, string[]>();
  for (const { path, what, why } of list) {
    const text = `${what}: ${why}`;
    groups.set(text, [...(groups.get(text) ?? []), path]);
  }
  for (const [text, paths] of groups) {
    const where = paths.length === 1 ? paths[0]! : `${paths.length} files`;
    session.note(printable(`not checked: ${text} (${where})`));
    if (paths.length > 1) for (const path of paths) session.detail(`  ${printable(path)}`);
  }
}
