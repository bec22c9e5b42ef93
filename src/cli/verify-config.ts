import { dirname, isAbsolute, join } from 'node:path';
import { readFile } from '../bytes/system.js';
import { UsageError } from '../errors.js';
import { isServerAddress, parseServerAddress } from '../live/address.js';
import { RULE_FIELDS, type RuleField, type RuleFieldName, type RuleValues } from './verify-fields.js';

/** One source of a configuration. */
export interface ConfiguredSource {
  readonly name: string;
  readonly path: string;
  readonly values: RuleValues;
  /** User of a live server. */
  readonly user: string | null;
  /** Name of the environment variable with its password. */
  readonly passwordEnv: string | null;
  /** Where it stands: `verify.sources[2]`. */
  readonly at: string;
}

/** What a `rekindle.json` says about verification. Values are texts, as options have them. */
export interface VerifyConfig {
  readonly path: string;
  readonly state: string | null;
  readonly lock: string | null;
  readonly prometheus: string | null;
  readonly evidence: string | null;
  readonly timeout: string | null;
  readonly onFailure: string | null;
  /** Name of the environment variable with the address. */
  readonly pingEnv: string | null;
  readonly pingTimeout: string | null;
  readonly sources: readonly ConfiguredSource[];
}

type Fields = ReadonlyMap<string, unknown>;

const CONFIG_BYTES_MAX = 4 * 1024 * 1024;

/** Texts of the run as a whole, and whether they are paths. */
const RUN_FIELDS = {
  state: { isPath: true, says: 'file in which runs are remembered' },
  lock: { isPath: true, says: 'lock file (default: that of the state with .lock behind it)' },
  prometheus: {
    isPath: true,
    says: "file for the metrics, in a directory of node_exporter's textfile collector",
  },
  evidence: { isPath: true, says: 'file for the evidence; replaced by each run' },
  timeout: { isPath: false, says: 'the longest a run may take: 2h' },
  onFailure: { isPath: false, says: 'command for the shell when something failed' },
  pingEnv: { isPath: false, says: 'environment variable with the address of a dead-man’s-switch service' },
  pingTimeout: { isPath: false, says: 'the longest that service may take to answer: 10s' },
} as const;

const SOURCE_FIELDS = {
  name: 'how reports, metrics and the state call it',
  path: 'file, directory or address; relative to the configuration',
  user: 'ACL user of the live server',
  passwordEnv: 'environment variable with the password of the live server',
} as const;

/** Reads a configuration. @throws UsageError that names the place of what is wrong */
export async function readConfig(path: string): Promise<VerifyConfig> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'no such file' : error.message;
    throw new UsageError(`--config ${path}: ${why}`, 'docs/verify.md shows one');
  });
  if (text.length > CONFIG_BYTES_MAX) throw new UsageError(`--config ${path}: is too large to be one`);
  return new ConfigReader(path).read(text);
}

class ConfigReader {
  constructor(private readonly path: string) {}

  read(text: string): VerifyConfig {
    const top = this.object(this.parsed(text), '');
    this.allow(top, '', ['$schema', 'verify']);
    if (!top.has('verify'))
      throw this.wrong('', 'there is no "verify"', 'docs/verify.md shows a configuration');
    const verify = this.object(top.get('verify'), 'verify');
    this.allow(verify, 'verify', [...Object.keys(RUN_FIELDS), 'defaults', 'sources']);
    const run = Object.fromEntries(
      Object.entries(RUN_FIELDS).map(([name, { isPath }]) => {
        const value = this.textOrNull(verify, 'verify', name);
        return [name, isPath && value !== null ? this.beside(value) : value];
      }),
    ) as Readonly<Record<keyof typeof RUN_FIELDS, string | null>>;
    const defaults = verify.has('defaults')
      ? this.rules(this.object(verify.get('defaults'), 'verify.defaults'), 'verify.defaults', [])
      : {};
    return { path: this.path, ...run, sources: this.sources(verify, defaults) };
  }

  private parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new UsageError(
        `--config ${this.path}: is no JSON: ${(error as Error).message}`,
        'a comma too many, or one missing?',
      );
    }
  }

  private sources(verify: Fields, defaults: RuleValues): ConfiguredSource[] {
    const list = verify.get('sources');
    if (!Array.isArray(list) || list.length === 0) {
      throw this.wrong(
        'verify.sources',
        'must be a list of at least one source',
        'each has a path, and rules of its own',
      );
    }
    return list.map((each: unknown, i) => {
      const at = `verify.sources[${i}]`;
      const fields = this.object(each, at);
      const path = this.textOrNull(fields, at, 'path');
      if (path === null) throw this.wrong(`${at}.path`, 'is missing', 'the file or directory to verify');
      const values = { ...defaults, ...this.rules(fields, at, Object.keys(SOURCE_FIELDS)) };
      this.refuseSecret(path, `${at}.path`);
      if (values.against !== undefined) this.refuseSecret(String(values.against), `${at}.against`);
      return {
        name: this.textOrNull(fields, at, 'name') ?? path,
        path: isServerAddress(path) || path.includes('://') ? path : this.beside(path),
        values,
        user: this.textOrNull(fields, at, 'user'),
        passwordEnv: this.textOrNull(fields, at, 'passwordEnv'),
        at,
      };
    });
  }

  private rules(fields: Fields, at: string, others: readonly string[]): RuleValues {
    this.allow(fields, at, [...others, ...RULE_FIELDS.map(({ name }) => name)]);
    const values: Partial<Record<RuleFieldName, string | number | boolean | readonly string[]>> = {};
    for (const field of RULE_FIELDS) {
      if (fields.has(field.name))
        values[field.name] = this.value(fields.get(field.name), field, `${at}.${field.name}`);
    }
    return values;
  }

  private value(
    value: unknown,
    { kind, words }: RuleField,
    at: string,
  ): string | number | boolean | readonly string[] {
    if (kind === 'switch') {
      if (typeof value === 'boolean') return value;
      throw this.wrong(at, 'must be true or false');
    }
    if (kind === 'words') {
      if (Array.isArray(value) && value.every((each) => typeof each === 'string'))
        return value as readonly string[];
      throw this.wrong(at, 'must be a list of texts', '["user:*:1000"]');
    }
    const isNumber = typeof value === 'number' && Number.isFinite(value) && value >= 0;
    if (isNumber && kind !== 'text') return value;
    if (typeof value !== 'string') throw this.wrong(at, KINDS[kind]);
    if (words !== undefined && !words.includes(value)) {
      throw this.wrong(at, `'${value}' is none of ${words.join(', ')}`);
    }
    return value;
  }

  /** A configuration lies in a repository; passwords do not. */
  private refuseSecret(text: string, at: string): void {
    if (!isServerAddress(text)) return;
    if (parseServerAddress(text, `${this.path}: ${at}`).password === null) return;
    throw this.wrong(at, 'holds a password', 'name the environment variable that holds it in passwordEnv');
  }

  private object(value: unknown, at: string): Fields {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return new Map(Object.entries(value));
    throw this.wrong(at, 'must be an object');
  }

  private textOrNull(fields: Fields, at: string, name: string): string | null {
    const value = fields.get(name);
    if (value === undefined) return null;
    if (typeof value === 'string' && value !== '') return value;
    throw this.wrong(`${at}.${name}`, 'must be a text');
  }

  private allow(fields: Fields, at: string, names: readonly string[]): void {
    for (const name of fields.keys()) {
      if (names.includes(name)) continue;
      const close = names.find((each) => each.toLowerCase() === name.toLowerCase().replace(/[-_]/g, ''));
      const hint = close === undefined ? `there are ${names.join(', ')}` : `did you mean ${close}?`;
      throw this.wrong(at === '' ? name : `${at}.${name}`, 'is no field', hint);
    }
  }

  private beside(path: string): string {
    return isAbsolute(path) ? path : join(dirname(this.path), path);
  }

  private wrong(at: string, why: string, hint = ''): UsageError {
    return new UsageError(`${this.path}: ${at === '' ? '' : `${at} `}${why}`, hint);
  }
}

const KINDS: Readonly<Record<RuleField['kind'], string>> = {
  span: 'must be a length of time: "26h", or seconds',
  share: 'must be a share: "20%", or a number from 0 to 1',
  count: 'must be a whole number',
  size: 'must be a size: "10MB", or bytes',
  text: 'must be a text',
  words: 'must be a list of texts',
  switch: 'must be true or false',
};

const text = (description: string) => ({ type: 'string', minLength: 1, description });

/** The JSON schema of the configuration; docs/rekindle.schema.json is this. */
export function configSchema(): Readonly<Record<string, unknown>> {
  const rules = Object.fromEntries(RULE_FIELDS.map((field) => [field.name, fieldSchema(field)]));
  const source = Object.fromEntries(Object.entries(SOURCE_FIELDS).map(([name, says]) => [name, text(says)]));
  const run = Object.fromEntries(Object.entries(RUN_FIELDS).map(([name, { says }]) => [name, text(says)]));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of rekindle',
    type: 'object',
    additionalProperties: false,
    required: ['verify'],
    properties: {
      $schema: { type: 'string' },
      verify: {
        description: 'Backups that `rekindle verify --config` verifies.',
        type: 'object',
        additionalProperties: false,
        required: ['sources'],
        properties: {
          ...run,
          defaults: {
            description: 'Rules for every source that has none of its own.',
            type: 'object',
            additionalProperties: false,
            properties: rules,
          },
          sources: {
            type: 'array',
            minItems: 1,
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['path'],
              properties: { ...source, ...rules },
            },
          },
        },
      },
    },
  };
}

function fieldSchema({ kind, says: description, words }: RuleField): Readonly<Record<string, unknown>> {
  switch (kind) {
    case 'switch':
      return { type: 'boolean', description };
    case 'words':
      return { type: 'array', items: { type: 'string', pattern: ':\\d+$' }, description };
    case 'text':
      return words === undefined ? text(description) : { enum: words, description };
    case 'share':
      return {
        anyOf: [
          { type: 'string', pattern: '^\\d+(\\.\\d+)?%?$' },
          { type: 'number', minimum: 0, maximum: 1 },
        ],
        description,
      };
    case 'count':
      return {
        anyOf: [
          { type: 'string', pattern: '^\\d+$' },
          { type: 'integer', minimum: 0 },
        ],
        description,
      };
    case 'span':
    case 'size':
      return {
        anyOf: [
          { type: 'string', pattern: '^\\d' },
          { type: 'number', minimum: 0 },
        ],
        description,
      };
    default:
      return kind satisfies never;
  }
}
