import { checkRdb as checkDump } from '../../tools/checkers/check-rdb.js';
import type { CommandDefinition } from '../catalog.js';
import { CheckerLines } from '../render/checker-lines.js';
import type { Session } from '../session.js';

/** The arguments are read as the original reads its own, so that usage errors exit with 1 as they do there. */
export const checkRdb: CommandDefinition = {
  define(command, launch) {
    command
      .usage('FILE')
      .argument('[arguments...]', 'an RDB file')
      .allowUnknownOption()
      .addHelpText('after', HELP)
      .action((words: string[]) => launch((session) => run(words, session)));
  },
};

const HELP = `
As redis-check-rdb of Redis 7.0: the same lines, the same exit codes, for the files of more products and versions.

Examples:
  rekindle check-rdb dump.rdb

Exit codes: 0 the file looks OK, 1 anything else.`;

async function run(words: readonly string[], session: Session): Promise<number> {
  const lines = new CheckerLines(session, false);
  const [path] = words;
  if (path === undefined || words.length > 1 || path.startsWith('--')) {
    session.complain('Usage: rekindle check-rdb <rdb-file-name>');
    return lines.close(1);
  }
  const options = { dialect: session.settings.dialect };
  return lines.closeAfter(checkDump(path, options, lines, session.context));
}
