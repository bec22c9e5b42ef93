import type { NotChecked } from '../../tools/report.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import type { Json } from './json.js';
import { count } from './numbers.js';

/**
 * Says on standard error what was not verified, once for all files of which the same holds; what never is only with
 * --verbose.
 */
export function noteNotChecked(list: readonly NotChecked[], session: Session): void {
  const groups = new Map<string, NotChecked[]>();
  for (const each of list) {
    const text = `${each.what}: ${each.why}`;
    groups.set(text, [...(groups.get(text) ?? []), each]);
  }
  for (const [text, group] of groups) {
    const where = group.length === 1 ? group[0]!.path : `${count(group.length)} files`;
    const note = printable(`not checked: ${text} (${where})`);
    if (group[0]!.routine) session.detail(note);
    else session.note(note);
    if (group.length > 1) for (const { path } of group) session.detail(`  ${printable(path)}`);
  }
}

/** `notChecked[]` of a report. */
export function notCheckedJson(list: readonly NotChecked[]): Json {
  return list.map(({ path, what, why }) => ({ path, what, why }));
}
