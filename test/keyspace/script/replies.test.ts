import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testdata } from '../../support/corpus.js';
import { ScriptedEngine, told } from './scripted.js';

/** What real servers replied to scripts, and the DEBUG DIGEST after each; one character per byte. */
interface Answers {
  readonly setup: readonly (readonly string[])[];
  readonly digests: readonly string[];
  /** Those of older servers only where they differ. */
  readonly servers: Readonly<Record<string, readonly Answer[]>>;
}

interface Answer {
  /** Arguments of EVAL. */
  readonly call: readonly [string, ...string[]];
  readonly reply: unknown;
  /** Place in `digests`. */
  readonly digest: number;
}

const answers = JSON.parse(readFileSync(testdata('scripts', 'replies.json'), 'utf8')) as Answers;
const releases: Readonly<Record<string, number>> = {
  'redis-4.0.14': 400,
  'redis-3.2.13': 302,
  'redis-2.8.24': 208,
};

test.each(Object.keys(answers.servers))('scripts reply and leave what they do on %s', (server) => {
  const scripted = new ScriptedEngine(releases[server]);
  const wrong: unknown[] = [];
  for (const { call, reply, digest } of answers.servers[server]!) {
    scripted.empty();
    for (const command of answers.setup) scripted.do(...command);
    const ours = told(scripted.eval(...call));
    const left = scripted.digest();
    if (JSON.stringify(ours) !== JSON.stringify(reply) || left !== answers.digests[digest]) {
      wrong.push({ call, ours, reply, sameData: left === answers.digests[digest] });
    }
  }
  expect(wrong).toEqual([]);
  expect(answers.servers[server]!.length).toBeGreaterThan(0);
});
