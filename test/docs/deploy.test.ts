import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { configSchema, readConfig } from '../../src/cli/verify-config.js';
import { VERSION } from '../../src/cli/version.js';
import { runCli } from '../cli/memory-io.js';
import { temporaryDirectory } from '../support/temporary.js';

// What docs/deploy/ holds is linted by the tools that read it, where they are there, and by rules of our own.

const file = (name: string): string => readFileSync(join('docs/deploy', name), 'utf8');

const found = (tool: string, ...args: string[]): boolean => spawnSync(tool, args).status === 0;

/** A test that needs a tool of the system; without it, it is skipped and says so. */
function itWith(tool: string, isThere: boolean, title: string, body: () => void): void {
  if (!isThere) console.warn(`skipped: ${title}: ${tool} is not installed`);
  it.skipIf(!isThere)(isThere ? title : `${title} [${tool} is not installed]`, body);
}

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Record<string, unknown>;
  readonly data?: Record<string, string>;
}

interface Container {
  readonly image: string;
  readonly command?: string[];
  readonly args: string[];
  readonly securityContext: Record<string, unknown>;
  readonly resources: { readonly limits: Record<string, string>; readonly requests: Record<string, string> };
  readonly volumeMounts: { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

interface PodSpec {
  readonly restartPolicy: string;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Record<string, unknown>;
  readonly containers: Container[];
  readonly volumes: { readonly name: string }[];
}

function resources(name: string): Resource[] {
  return parseAllDocuments(file(name), { strict: true, uniqueKeys: true }).map((document) => {
    expect(document.errors).toEqual([]);
    expect(document.warnings).toEqual([]);
    return document.toJS() as Resource;
  });
}

/** The fields that a job may have (batch/v1), and those of its pods. */
const JOB_FIELDS = [
  ...['activeDeadlineSeconds', 'backoffLimit', 'backoffLimitPerIndex', 'completionMode', 'completions'],
  ...['parallelism', 'template', 'ttlSecondsAfterFinished'],
];
const POD_FIELDS = [
  ...['automountServiceAccountToken', 'containers', 'enableServiceLinks', 'restartPolicy'],
  ...['securityContext', 'volumes'],
];

function expectHardenedJob(spec: Record<string, unknown>): Container {
  expect(Object.keys(spec).filter((name) => !JOB_FIELDS.includes(name))).toEqual([]);
  const pod = (spec['template'] as { readonly spec: PodSpec }).spec;
  expect(Object.keys(pod).filter((name) => !POD_FIELDS.includes(name))).toEqual([]);
  expect(pod.restartPolicy).toBe('Never');
  expect(pod.automountServiceAccountToken).toBe(false);
  expect(pod.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  const [container] = pod.containers;
  expect(container!.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(container!.resources.limits).toHaveProperty('memory');
  expect(container!.image).toMatch(new RegExp(`:${VERSION.replaceAll('.', '\\.')}$`));
  const volumes = pod.volumes.map(({ name }) => name);
  expect(container!.volumeMounts.map(({ name }) => name)).toEqual(volumes);
  expect(container!.volumeMounts.find(({ name }) => name === 'backups')!.readOnly).toBe(true);
  return container!;
}

/** The command line is one that rekindle takes: all that is left to fail is the missing backup. */
async function expectTaken(words: readonly string[]): Promise<void> {
  const { exit, both } = await runCli(words);
  expect(both).not.toMatch(/try: rekindle help|unknown option|is no /);
  expect(exit).not.toBe(2);
}

describe('cronjob.yaml', () => {
  it('is a CronJob that is hardened, its configuration, and a policy without network', async () => {
    const [config, job, policy, ...more] = resources('cronjob.yaml');
    expect(more).toEqual([]);
    expect([config!, job!, policy!].map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      'v1 ConfigMap',
      'batch/v1 CronJob',
      'networking.k8s.io/v1 NetworkPolicy',
    ]);
    expect(job!.spec).toMatchObject({ concurrencyPolicy: 'Forbid', schedule: '0 4 * * *' });
    const { spec } = job!.spec['jobTemplate'] as { readonly spec: Record<string, unknown> };
    const container = expectHardenedJob(spec);
    expect(container.args[0]).toBe('verify');
    expect(policy!.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
    expect(policy!.spec).not.toHaveProperty('egress');
    const path = join(temporaryDirectory('deploy'), 'rekindle.json');
    writeFileSync(path, config!.data!['rekindle.json']!);
    expect((await readConfig(path)).sources.map(({ name }) => name)).toEqual(['orders', 'sessions']);
  });
});

describe('indexed-job.yaml', () => {
  it('is an Indexed Job that is hardened, each index with a shard and a state of its own', async () => {
    const [job, ...more] = resources('indexed-job.yaml');
    expect(more).toEqual([]);
    expect(`${job!.apiVersion} ${job!.kind}`).toBe('batch/v1 Job');
    expect(job!.spec).toMatchObject({ completionMode: 'Indexed', backoffLimitPerIndex: 0 });
    const { command, args } = expectHardenedJob(job!.spec);
    expect(command).toEqual(['sh', '-c']);
    const script = args[0]!.replace('exec rekindle', 'printf "%s\\n"');
    const room = temporaryDirectory('deploy');
    const { stdout } = spawnSync('sh', ['-c', script], {
      env: { JOB_COMPLETION_INDEX: '7' },
      encoding: 'utf8',
    });
    const words = stdout.trim().split('\n');
    expect(words.slice(0, 6)).toEqual([
      ...['verify', '/backups/shard-7/dump.rdb', '--name', 'shard-7', '--state', '/state/shard-7.json'],
    ]);
    await expectTaken(words.map((word) => word.replace('/state', room)));
  });
});

describe('rekindle-verify.service', () => {
  const unit = file('rekindle-verify.service');

  it('runs what rekindle takes, and names no network', async () => {
    const words = /^ExecStart=\/usr\/bin\/rekindle (.*)$/m.exec(unit)![1]!.split(' ');
    const config = join(temporaryDirectory('deploy'), 'rekindle.json');
    writeFileSync(config, JSON.stringify({ verify: { sources: [{ path: 'gone.rdb' }] } }));
    await expectTaken(words.map((word) => word.replace('/etc/rekindle/rekindle.json', config)));
    for (const setting of [
      'PrivateNetwork=yes',
      'ProtectSystem=strict',
      'NoNewPrivileges=yes',
      'DynamicUser=yes',
    ]) {
      expect(unit.split('\n')).toContain(setting);
    }
  });

  const isThere = found('systemd-analyze', '--version');
  itWith('systemd-analyze', isThere, 'and its timer are what systemd reads, and little exposed', () => {
    const room = temporaryDirectory('deploy');
    const service = join(room, 'rekindle-verify.service');
    const timer = join(room, 'rekindle-verify.timer');
    // The program must be there for the unit to be right.
    writeFileSync(service, unit.replace('/usr/bin/rekindle', '/bin/true'));
    writeFileSync(timer, file('rekindle-verify.timer'));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', service, timer], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    const security = spawnSync('systemd-analyze', ['security', '--offline=true', service], {
      encoding: 'utf8',
    });
    if (security.status === 0) expect(security.stdout).toMatch(/exposure level for [\w.-]+: [01]\.\d OK/);
  });
});

describe('Dockerfile', () => {
  it('keeps to the rules of hadolint that fit', () => {
    const lines = file('Dockerfile').replaceAll('\\\n', ' ').split('\n');
    const all = lines.filter((line) => line !== '' && !line.startsWith('#'));
    const words = all.map((line) => line.split(/\s+/)[0]!);
    expect(words.filter((word) => !/^(FROM|RUN|WORKDIR|USER|ENTRYPOINT|CMD|SHELL)$/.test(word))).toEqual([]);
    const images = all.filter((line) => line.startsWith('FROM')).map((line) => line.split(' ')[1]!);
    // DL3006, DL3007: a version, and not the latest.
    const stages = all.flatMap((line) => / AS (\w+)$/.exec(line)?.[1] ?? []);
    expect(images.filter((image) => !stages.includes(image) && !/:\d+\.\d+/.test(image))).toEqual([]);
    // DL3002: no stage ends as root.
    for (const stage of file('Dockerfile')
      .split(/^FROM /m)
      .slice(1)) {
      expect(stage.match(/^USER (.*)$/gm)?.at(-1) ?? 'USER 1000:1000').toBe('USER 1000:1000');
    }
    const text = all.join('\n');
    // DL3016, DL3008, DL3009, DL3015: versions of packages, and nothing left of installing them.
    expect(text).toContain(`rekindle@${VERSION}`);
    expect(text).toMatch(
      /apt-get install --yes --no-install-recommends [\w-]+=\S+.*rm -rf \/var\/lib\/apt\/lists/s,
    );
    // DL3000, DL3025: absolute, and commands as lists.
    expect(text).toMatch(/^WORKDIR \//m);
    expect(
      text.match(/^(CMD|ENTRYPOINT) .*$/gm)!.every((line) => JSON.parse(line.replace(/^\w+ /, ''))),
    ).toBe(true);
  });
});

describe('rekindle.schema.json', () => {
  it('is what the program says it is', () => {
    const path = 'docs/rekindle.schema.json';
    if (process.env['UPDATE_GOLDEN'] === '1')
      writeFileSync(path, `${JSON.stringify(configSchema(), null, 2)}\n`);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(configSchema());
  });

  const source = (fields: object) => ({ verify: { sources: [{ path: 'a.rdb', ...fields }] } });

  it.each<[unknown, boolean]>([
    [JSON.parse(file('rekindle.json')), true],
    [
      source({
        maxAge: '26h',
        minKeys: 1,
        maxShrink: 0.2,
        require: ['user:*:5'],
        backups: true,
        keep: 'daily:7',
      }),
      true,
    ],
    [source({ maxage: '26h' }), false],
    [source({ maxShrink: 2 }), false],
    [source({ maxShrink: 'a fifth' }), false],
    [source({ require: 'user:*:5' }), false],
    [source({ drill: 'paper' }), false],
    [source({ backups: 'yes' }), false],
    [{ verify: { sources: [] } }, false],
    [{ verify: { sources: [{}] } }, false],
    [{ verify: { sources: [{ path: 'a' }], states: 'b' } }, false],
    [JSON.parse('{"verify":{"sources":[{"path":"a","__proto__":{"minKeys":0}}]}}'), false],
    [[], false],
  ])('takes what the program takes: %j', async (config, isRight) => {
    expect(new Ajv2020({ strict: true, allowUnionTypes: true }).validate(configSchema(), config)).toBe(
      isRight,
    );
    const path = join(temporaryDirectory('deploy'), 'rekindle.json');
    writeFileSync(path, JSON.stringify(config));
    const { exit } = await runCli([
      'verify',
      '--config',
      path,
      '--lock',
      join(path, '..', 'lock'),
      '--state',
      `${path}.state`,
      '--prometheus',
      `${path}.prom`,
    ]);
    expect(exit === 2).toBe(!isRight);
  });
});
