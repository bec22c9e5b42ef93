import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testdata } from '../support/testdata.js';
import { faultOf } from './judge.js';
import { targetsOf } from './targets/index.js';

const FOUND = readdirSync(testdata('fuzz')).filter((name) => name.endsWith('.bin'));
const targetOf = (name: string): string => name.slice(0, name.lastIndexOf('-'));
const TARGETS = await targetsOf([...new Set(FOUND.map(targetOf))]);

/** Inputs that broke something once: named after the target that found them. */
test.each(FOUND)('%s breaks nothing any more', async (name) => {
  const target = TARGETS.find((each) => each.name === targetOf(name))!;
  const fault = await Promise.resolve()
    .then(() => target.run(readFileSync(testdata('fuzz', name))))
    .then(() => null, faultOf);
  expect(fault).toBeNull();
});
