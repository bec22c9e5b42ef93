import type { AofSet } from '../../aof/set.js';
import { FINDINGS, type Finding } from '../../model/finding.js';
import type { DialectName } from '../../rdb/dialect.js';
import { check } from '../check.js';
import type { ToolContext } from '../context.js';
import type { Source } from '../source.js';

/** Checks what was written, before it shows. Resolves to what is still wrong with it: nothing, one hopes. */
export async function checkResult(
  source: Source,
  dialect: DialectName | null,
  context: ToolContext,
): Promise<Finding[]> {
  const { files } = await check(source, { quick: false, dialect }, context);
  return files.flatMap(({ findings }) => findings).filter(({ code }) => FINDINGS[code] === 'error');
}

/** A log of these files, as if they stood together in a directory. */
export function assembledSet(base: AofSet, files: AofSet['files']): AofSet {
  return { ...base, manifestPath: null, files, history: [], missing: [], strays: [], findings: [] };
}
