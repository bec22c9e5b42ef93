import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import timers from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { prometheusText } from '../../src/tools/verify/metrics.js';
import type { RuleResult } from '../../src/tools/verify/rules.js';
import type { SourceVerdict } from '../../src/tools/verify/verdict.js';
import { CORPUS_NOW } from '../support/corpus.js';
import { temporaryDirectory } from '../support/temporary.js';
import { backupOf } from '../support/verify.js';
import { runCli } from './memory-io.js';

function room(): { readonly path: string; readonly backup: string } {
  const path = temporaryDirectory('verify-cli');
  const backup = join(path, 'dump.rdb');
  writeFileSync(backup, backupOf(20, CORPUS_NOW - 3600));
  return { path, backup };
}

function config(path: string, content: unknown): string {
  const file = join(path, 'rekindle.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describe('names that are hostile', () => {
  const NAME = 'a|b "c" \\d\n=\'e\'\u001b[31m';

  it('stand in one line of a plugin, with one bar', async () => {
    const { backup } = room();
    const rules = ['--require', 'x|y\n*:1', '--format', 'nagios'];
    const { stdout, exit } = await runCli(['verify', backup, '--name', NAME, ...rules]);
    expect(exit).toBe(2);
    expect(stdout).toBe(
      'REKINDLE CRITICAL - a/b "c" \\d =\'e\' [31m: require: 0 keys like "x/y\\n*", at least 1 | ' +
        'keys=20;;1:;0 size=360B;;;0 age=3600s;;; errors=0;;0;0 duration=0s;;;0\n',
    );
  });

  it('name perfdata without quotes or equals signs inside', async () => {
    const { path, backup } = room();
    const file = config(path, {
      verify: {
        sources: [
          { name: NAME, path: backup },
          { name: 'b', path: backup },
        ],
      },
    });
    const { stdout } = await runCli(['verify', '--config', file, '--format', 'nagios']);
    expect(stdout.split(' | ')[1]).toMatch(/^'a\/b "c" \\d __e_ \[31m keys'=20;;1:;0 .* 'b keys'=20;;1:;0 /);
  });

  it('are labels of metrics, a line each', async () => {
    const { path, backup } = room();
    const metrics = join(path, 'm.prom');
    await runCli(['verify', backup, '--name', NAME, '--require', 'q"\\\n*:1', '--prometheus', metrics]);
    const lines = readFileSync(metrics, 'utf8').split('\n');
    const sample =
      /^[a-z_]+\{[a-z]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z]+="(?:[^"\\\n]|\\[\\"n])*")*\} -?[\d.]+$/;
    expect(lines.filter((line) => line !== '' && !line.startsWith('# ') && !sample.test(line))).toEqual([]);
    expect(lines).toContain('rekindle_verify_ok{source="a|b \\"c\\" \\\\d\\n=\'e\'\u001b[31m"} 0');
  });

  it('of keys are hidden with --redact', async () => {
    const { path, backup } = room();
    const metrics = join(path, 'm.prom');
    const asked = ['--require', 'secret:*:1', '--prometheus', metrics, '--redact', '--json'];
    const { both } = await runCli(['verify', backup, ...asked]);
    expect(both + readFileSync(metrics, 'utf8')).not.toContain('secret');
  });
});

it('metrics are called as promtool wants them', () => {
  const rules = [{ name: 'require', ok: true, value: 1, limit: 1, of: '\xff', detail: {} }] as RuleResult[];
  const verdict = {
    name: 'a',
    ok: true,
    atMs: 1,
    durationMs: 1,
    rules,
    facts: null,
    check: null,
    lastGoodMs: null,
  };
  const text = prometheusText([verdict as unknown as SourceVerdict]);
  const names = [...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) {
    expect(text).toMatch(new RegExp(`^# HELP ${name} \\S.*\\.$`, 'm'));
    expect(name).toMatch(/^rekindle_verify_[a-z_]+$/);
    // Base units, spelt out; a type is no part of a name, and only counters end in _total.
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|hours|kb|mb|total|gauge|counter|count|sum|bucket)$/);
  }
  expect(text).toContain('of="\\\\xff"');
});

describe('a configuration', () => {
  it.each<[unknown, string]>([
    ['{"verify":', 'is no JSON'],
    ['{"verify":{"sources":[{"path":"a"}],"__proto__":{"state":"x"}}}', 'verify.__proto__ is no field'],
    ['{"constructor":{},"verify":{"sources":[{"path":"a"}]}}', 'constructor is no field'],
    [
      { verify: { sources: [{ path: 'a' }, { path: 'b', maxAge: true }] } },
      'verify.sources[1].maxAge must be a length of time',
    ],
    [
      { verify: { sources: [{ path: 'a', maxAge: 'soon' }] } },
      "verify.sources[0].maxAge: 'soon' is no length of time",
    ],
    [{ verify: { sources: [{ path: 'a', Max_Age: '1h' }] } }, 'did you mean maxAge?'],
    [{ verify: { defaults: { path: 'a' }, sources: [{ path: 'a' }] } }, 'verify.defaults.path is no field'],
    [{ verify: { sources: [{ path: 'redis://:secret@host' }] } }, 'verify.sources[0].path holds a password'],
    [
      { verify: { sources: [{ path: 'a', against: 'redis://u:secret@host' }] } },
      'verify.sources[0].against holds a password',
    ],
    [{ verify: { sources: [{ path: 'a', passwordEnv: 'NO_SUCH' }] } }, 'NO_SUCH is not set'],
    [{ verify: { pingEnv: 'NO_SUCH', sources: [{ path: 'a' }] } }, 'verify.pingEnv: NO_SUCH is not set'],
    [{ verify: { sources: [{ path: 'a' }, { path: 'a' }] } }, 'two sources are called a'],
    [{ verify: { sources: [{ path: 'a', sample: 5 }] } }, 'verify.sources[0].sample is about a comparison'],
    [
      { verify: { sources: [{ path: 'a', keep: 'daily:7' }] } },
      'verify.sources[0].keep is about a directory',
    ],
  ])('that is wrong is named with its place: %j', async (content, says) => {
    const { path } = room();
    const { exit, stderr } = await runCli(['verify', '--config', config(path, content)]);
    expect(stderr).toContain(says);
    expect(stderr).not.toContain('secret');
    expect(exit).toBe(2);
    expect(readdirSync(path).sort()).toEqual(['dump.rdb', 'rekindle.json']);
  });

  it('has rules for all, rules of its own, and options before both', async () => {
    const { path } = room();
    const file = config(path, {
      verify: {
        state: 'state.json',
        prometheus: 'm.prom',
        evidence: 'evidence.json',
        defaults: { minKeys: 30, maxAge: '30m' },
        sources: [{ name: 'a', path: 'dump.rdb', minKeys: 5 }, { path: 'dump.rdb' }],
      },
    });
    const failed = async (...options: string[]) => {
      const { stdout } = await runCli(['verify', '--config', file, '--json', ...options]);
      const { rules } = JSON.parse(stdout);
      return rules
        .filter(({ ok }: RuleResult) => !ok)
        .map((rule: { source: string; name: string }) => `${rule.source} ${rule.name}`);
    };
    expect(await failed()).toEqual(['a age', 'dump.rdb age', 'dump.rdb min-keys']);
    expect(await failed('--max-age', '2h')).toEqual(['dump.rdb min-keys']);
    expect(await failed('--only', 'a', '--max-age', '2h')).toEqual([]);
    for (const name of ['state.json', 'm.prom', 'evidence.json'])
      expect(existsSync(join(path, name))).toBe(true);
  });
});

describe('exit codes', () => {
  it('are the worst of all sources, and of what could not be written', async () => {
    const { path, backup } = room();
    const damaged = join(path, 'damaged.rdb');
    copyFileSync(backup, damaged);
    writeFileSync(damaged, readFileSync(damaged).subarray(0, 200));
    const exit = async (...words: string[]) => (await runCli(['verify', ...words])).exit;
    expect(await exit(backup)).toBe(0);
    expect(await exit(backup, damaged)).toBe(1);
    expect(await exit(backup, damaged, join(path, 'gone'))).toBe(3);
    expect(await exit(damaged, '--prometheus', join(path, 'no', 'm.prom'))).toBe(4);
    expect(await exit(backup, '--format', 'nagios', '--prometheus', join(path, 'no', 'm.prom'))).toBe(3);
    expect(await exit(damaged, '--format', 'nagios')).toBe(2);
    writeFileSync(join(path, 'state.json'), 'x');
    expect(await exit(backup, '--format', 'nagios', '--state', join(path, 'state.json'))).toBe(1);
    expect(await exit(backup, '--format', 'nagios', '--max-age', 'soon')).toBe(3);
    expect(await exit(backup, '--max-age', 'soon')).toBe(2);
  });

  it('--quiet says nothing on good days but what must be known', async () => {
    const { path, backup } = room();
    const state = join(path, 'state.json');
    const first = await runCli(['verify', backup, '--state', state, '--quiet']);
    expect([first.exit, first.both]).toEqual([0, '']);
    writeFileSync(state, '{');
    const second = await runCli(['verify', backup, '--state', state, '--quiet']);
    expect([second.exit, second.stdout]).toEqual([0, '']);
    expect(second.stderr).toBe(
      `warning: ${state}: what earlier runs left cannot be used: it is no JSON; it is kept as ${state}.bad; a new one is begun\n`,
    );
  });
});

it('the address of a dead-man’s switch is in nothing that is printed or left', async () => {
  // It is tried again, after a pause that is not waited for here.
  const { setTimeout: pause } = timers;
  const pauses: number[] = [];
  timers.setTimeout = (async (ms: number) => void pauses.push(ms)) as typeof pause;
  syncBuiltinESMExports();
  onTestFinished(() => {
    timers.setTimeout = pause;
    syncBuiltinESMExports();
  });
  const { path, backup } = room();
  const evidence = join(path, 'evidence.json');
  const env = { REKINDLE_PING_URL: 'http://127.0.0.1:1/uuid-secret' };
  const { both, exit } = await runCli(
    ['verify', backup, '--evidence', evidence, '--ping-timeout', '1s', '--json'],
    { env },
  );
  expect(exit).toBe(0);
  expect(pauses).toEqual([500, 1000, 500, 1000]);
  expect(both + readFileSync(evidence, 'utf8')).not.toContain('uuid-secret');
  expect(JSON.parse(readFileSync(evidence, 'utf8')).inputs[0].sha256).toMatch(/^[0-9a-f]{64}$/);
  const wrong = await runCli(['verify', backup, '--ping', 'uuid-secret']);
  expect([wrong.exit, wrong.both.includes('uuid-secret')]).toEqual([2, false]);
});
