import { type ByteSource, FileSource } from '../../bytes/source.js';
import { FINDINGS, type FindingCode } from '../../model/finding.js';
import type { CheckedFile } from '../report.js';

const TAIL: ReadonlySet<FindingCode> = new Set<FindingCode>(['aof/torn-tail', 'aof/open-transaction']);

/**
 * What was checked, without an end that a server is just writing: a record that the end of a log cuts short is no damage
 * while the file grows. What stands before it is the log as it was a moment ago.
 */
export async function withoutGrowingTail(file: CheckedFile, source: ByteSource): Promise<CheckedFile> {
  const errors = file.findings.filter(({ code }) => FINDINGS[code] === 'error');
  if (errors.length === 0 || !errors.every(({ code }) => TAIL.has(code))) return file;
  if (!(source instanceof FileSource) || !(await source.isGrowing())) return file;
  const findings = file.findings.filter(({ code }) => !TAIL.has(code));
  return { ...file, bytes: file.validBytes, damagedBytes: 0, findings };
}
