import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recoveryDirectory } from '../support/recovery.js';
import { temporaryDirectory } from '../support/temporary.js';
import { runCli } from './memory-io.js';

it('evidence names every input with its SHA-256, what was asked, and all results', async () => {
  const directory = recoveryDirectory('preamble-damaged');
  const room = temporaryDirectory('evidence');
  const path = join(room, 'incident.json');
  const out = join(room, 'restored');
  const ran = await runCli(['recover', directory, '--out', out, '--evidence', path, '--json']);
  expect(ran.exit).toBe(0);
  const evidence = JSON.parse(readFileSync(path, 'utf8'));
  expect(evidence).toMatchObject({ schemaVersion: 1, tool: 'rekindle', options: { directory, out } });
  expect(evidence.results).toEqual({ ...JSON.parse(ran.stdout), schemaVersion: undefined });
  expect(evidence.inputs).toHaveLength(4);
  for (const { path: input, sha256, bytes } of evidence.inputs) {
    const content = readFileSync(input);
    expect(bytes).toBe(content.length);
    expect(sha256).toBe(createHash('sha256').update(content).digest('hex'));
  }
});

it('evidence is never written into the directory, nor over anything', async () => {
  const directory = recoveryDirectory('aof-deleted');
  const inside = await runCli(['recover', directory, '--evidence', join(directory, 'incident.json')]);
  expect(inside.exit).toBe(2);
  expect(existsSync(join(directory, 'incident.json'))).toBe(false);
  const taken = join(temporaryDirectory('evidence'), 'taken');
  writeFileSync(taken, 'mine');
  expect((await runCli(['recover', directory, '--evidence', taken])).exit).toBe(2);
  expect(readFileSync(taken, 'utf8')).toBe('mine');
});

it('the command it ends with does what it says', async () => {
  const directory = recoveryDirectory('manifest-lost');
  const advised = await runCli(['recover', directory]);
  const line = advised.stdout.trim().split('\n').at(-1)!.trim();
  expect(line).toBe(`rekindle recover ${directory} --out ${directory}-recovered`);
  const done = await runCli(line.split(' ').slice(1));
  expect(done.exit).toBe(0);
  expect((await runCli(['recover', `${directory}-recovered`])).exit).toBe(0);
});
