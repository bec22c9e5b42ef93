import { spawnSync } from 'node:child_process';
import { CLI } from './jobs.mjs';

const EXTRA_MS_MAX = 60;

const timed = (args) => {
  const began = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return performance.now() - began;
};

const middle = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

/** How much longer `rekindle --version` takes than a Node.js that does nothing: the median over pairs, in milliseconds. */
export function measureStart(pairs = 20) {
  const extra = [];
  const sides = { ours: [], theirs: [] };
  timed([CLI, '--version']);
  timed(['-e', '0']);
  for (let pair = 0; pair < pairs; pair++) {
    const first = pair % 2 === 0 ? timed([CLI, '--version']) : null;
    const theirs = timed(['-e', '0']);
    const ours = first ?? timed([CLI, '--version']);
    sides.ours.push(ours);
    sides.theirs.push(theirs);
    extra.push(ours - theirs);
  }
  const extraMs = middle(extra);
  const goal = [{ what: 'extraMs', asked: EXTRA_MS_MAX, got: extraMs, met: extraMs <= EXTRA_MS_MAX }];
  return { pairs, oursMs: middle(sides.ours), theirsMs: middle(sides.theirs), extraMs, goal };
}
