import type { Finding } from '../../model/finding.js';
import type { Session } from '../session.js';
import { printable } from './escape.js';
import { messageOf } from './findings.js';
import { count, offset } from './numbers.js';

/** Says on standard error what a log that was executed has on it: once for each code, with where it is first. */
export function noteLogFindings(findings: readonly Finding[], session: Session): void {
  const byCode = new Map<string, Finding[]>();
  for (const finding of findings) byCode.set(finding.code, [...(byCode.get(finding.code) ?? []), finding]);
  for (const [code, [first, ...more]] of byCode) {
    const { file, offset: at } = first!.where;
    const others = more.length > 0 ? ` (and ${count(more.length)} more like it)` : '';
    session.warn(`${printable(file)} at offset ${offset(at)}: ${code}${others}`);
    session.note(`  ${messageOf(first!, session.settings.conceal)}`);
  }
}
