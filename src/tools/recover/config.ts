import { basename, dirname, isAbsolute, join } from 'node:path';
import { FileSource, readHead } from '../../bytes/source.js';
import { readdir } from '../../bytes/system.js';
import { InputError } from '../../errors.js';
import { Glob } from '../../model/glob.js';
import { type ConfigProblem, type ServerConfig, ServerConfigReader } from '../../model/server-config.js';
import { isInside } from './place.js';

/** The configuration a server is thought to start with. */
export interface FoundConfig {
  /** Where it was read; null: none was found, everything is a default or a guess. */
  readonly path: string | null;
  readonly config: ServerConfig;
  /** Lower-case names of what the file really says. */
  readonly given: ReadonlySet<string>;
  readonly problems: readonly ConfigProblem[];
  /** Files it includes that were not read, as they are written there. */
  readonly notIncluded: readonly string[];
}

/** No redis.conf is longer; what is, is something else. */
const CONFIG_BYTES_MAX = 4 * 1024 * 1024;
/** Includes in includes; a server follows them until its stack ends. */
const DEPTH_MAX = 8;
/** Files included in all. */
const FILES_MAX = 100;

/**
 * Reads a redis.conf. What it includes is read where it is there; with `within` only inside that directory.
 *
 * @throws InputError when the file cannot be read
 */
export async function readConfig(path: string, within: string | null): Promise<FoundConfig> {
  const walk = new ConfigWalk(within);
  await walk.file(path, 0);
  const { reader, notIncluded } = walk;
  const { config, given, problems } = reader;
  return { path, config, given, problems, notIncluded };
}

/** What holds where there is no redis.conf. */
export function noConfig(): FoundConfig {
  const { config, given, problems } = new ServerConfigReader();
  return { path: null, config, given, problems, notIncluded: [] };
}

class ConfigWalk {
  readonly reader = new ServerConfigReader();
  readonly notIncluded: string[] = [];
  private files = 0;

  constructor(private readonly within: string | null) {}

  async file(path: string, depth: number): Promise<void> {
    this.files++;
    const source = await FileSource.at(path);
    if (source.size > CONFIG_BYTES_MAX) {
      throw new InputError(
        'input/not-a-config',
        path,
        `is ${source.size} bytes long, too large for a redis.conf`,
      );
    }
    const text = (await readHead(source, source.size)).latin1Slice();
    for (const include of this.reader.read(text, path)) {
      const found = depth < DEPTH_MAX ? await this.resolve(include.path, path) : [];
      if (found.length === 0) this.notIncluded.push(include.path);
      for (const each of found) {
        if (this.files >= FILES_MAX) this.notIncluded.push(each);
        else await this.file(each, depth + 1).catch((error) => this.skip(each, error));
      }
    }
  }

  private skip(path: string, error: unknown): void {
    if (!(error instanceof InputError)) throw error;
    this.notIncluded.push(path);
  }

  /** The files an include means that are there. Relative ones count from the file that names them, for want of better. */
  private async resolve(included: string, from: string): Promise<string[]> {
    const path = isAbsolute(included) ? included : join(dirname(from), included);
    const names = /[*?[]/.test(basename(path))
      ? await matching(dirname(path), basename(path))
      : [basename(path)];
    const found: string[] = [];
    for (const name of names) {
      const each = join(dirname(path), name);
      if (this.within !== null && !(await isInside(each, this.within))) continue;
      if (await FileSource.at(each).catch(() => null)) found.push(each);
    }
    return found;
  }
}

async function matching(directory: string, pattern: string): Promise<string[]> {
  const glob = new Glob(Buffer.from(pattern, 'utf8').latin1Slice());
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => glob.matches(Buffer.from(name, 'utf8'))).sort();
}
