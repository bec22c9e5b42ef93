import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { isServerAddress } from '../live/address.js';

/** Arguments that name nothing to read or write; the checkers answer as their originals do. */
const NO_PLACE = ['key', 'arguments', 'shell'];
/** Arguments that may be files and directories alone. */
const FILES_ALONE = ['directory', 'lines'];

/**
 * Refuses addresses that a command reads nothing from, without repeating them: they hold passwords and signatures, and
 * would stand as names of files that are not there in logs and reports. @throws UsageError
 */
export function refuseAddresses(command: Command): void {
  for (const [i, argument] of command.registeredArguments.entries()) {
    const name = argument.name();
    const words = [command.processedArgs[i] as unknown].flat();
    // What a server logged may well hold an address.
    if (NO_PLACE.includes(name) || (name === 'lines' && words.length > 1)) continue;
    for (const word of words) refuse(word, command.name(), !FILES_ALONE.includes(name));
  }
  // A server as OUT of `convert` is an argument; --out is a path everywhere.
  const { out } = command.opts<{ readonly out?: unknown }>();
  if (typeof out !== 'string' || schemeOf(out) === null) return;
  throw new UsageError(
    '--out: this is an address, and a path is needed',
    'rekindle convert SOURCE redis://… and rekindle replay SOURCE --target redis://… write to a server',
  );
}

function refuse(word: unknown, name: string, takesServers: boolean): void {
  if (typeof word !== 'string') return;
  const scheme = schemeOf(word);
  if (scheme === null || scheme === 's3') return;
  if (isServerAddress(word)) {
    if (takesServers) return;
    throw new UsageError(
      `${name} reads files, and this is the address of a server`,
      'rekindle convert redis://… dump.rdb saves what the server holds',
    );
  }
  const fetched = `curl -sS ADDRESS | rekindle ${name} -`;
  throw new UsageError(
    `${scheme}:// is read from nowhere: sources are files, redis://, rediss://, unix:// and s3://`,
    /^https?$/.test(scheme) ? `fetch it first: ${fetched}` : 'give a path, or one of these addresses',
  );
}

function schemeOf(word: string): string | null {
  return /^([a-z][a-z\d+.-]+):\/\/\S*$/i.exec(word)?.[1]?.toLowerCase() ?? null;
}
