import { OutputError, UsageError } from '../../errors.js';
import { libraryName } from '../../keyspace/library.js';
import { isReplyError, type Reply, type ServerConnection } from '../../live/connection.js';
import { replyErrorOf } from '../../live/failure.js';

/** How many libraries were loaded, and how many stayed as they were. */
export interface FunctionsSent {
  readonly loaded: number;
  readonly kept: number;
}

/**
 * Loads function libraries. One that is there with the very same code is left alone.
 *
 * @throws UsageError when another one has its name and may be neither kept nor replaced, OutputError when it is refused
 */
export async function sendFunctions(
  connection: ServerConnection,
  sources: readonly Buffer[],
  existing: 'refuse' | 'keep' | 'replace',
): Promise<FunctionsSent> {
  let loaded = 0;
  let kept = 0;
  for (const source of sources) {
    const name = libraryName(source) ?? '';
    const there = await codeOf(connection, name);
    if (there?.equals(source) === true || (there !== null && existing === 'keep')) {
      kept++;
      continue;
    }
    if (there !== null && existing === 'refuse') {
      throw new UsageError(
        `${connection.label} already has another function library ${name}; nothing was written`,
        'give --keep-existing to leave it, or --replace to overwrite it',
      );
    }
    const replace = there === null ? [] : ['REPLACE'];
    await refusing(connection, name, () => connection.ask('FUNCTION', 'LOAD', ...replace, source));
    loaded++;
  }
  return { loaded, kept };
}

/** The code of a library that a server has; null when it has none of that name. */
async function codeOf(connection: ServerConnection, name: string): Promise<Buffer | null> {
  const pattern = name.replace(/[\\*?[\]]/g, '\\$&');
  const list = await refusing(connection, name, () =>
    connection.ask('FUNCTION', 'LIST', 'LIBRARYNAME', pattern, 'WITHCODE'),
  );
  const [library] = Array.isArray(list) ? (list as readonly Reply[]) : [];
  if (!Array.isArray(library)) return null;
  const at = (library as readonly Reply[]).findIndex(
    (field) => Buffer.isBuffer(field) && field.toString() === 'library_code',
  );
  const code = at < 0 ? null : (library as readonly Reply[])[at + 1];
  return Buffer.isBuffer(code) ? code : null;
}

async function refusing(
  connection: ServerConnection,
  name: string,
  body: () => Promise<Reply>,
): Promise<Reply> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof OutputError || !isReplyError(error)) throw error;
    throw replyErrorOf(error.message, connection.label, `function library ${name}`);
  }
}
