import type { Target } from '../target.js';

type Loader = () => Promise<{ readonly targets: readonly Target[] }>;

const LOADERS: readonly Loader[] = [
  () => import('./kernels.js'),
  () => import('./rdb.js'),
  () => import('./packed.js'),
  () => import('./resp.js'),
  () => import('./values.js'),
  () => import('./engine.js'),
  () => import('./salvage.js'),
  () => import('./checks.js'),
  () => import('./texts.js'),
  () => import('./tools.js'),
  () => import('./cli.js'),
];

/** The targets of these names, of which no more is loaded than it takes to find them; null: every target. */
export async function targetsOf(names: readonly string[] | null): Promise<Target[]> {
  const all: Target[] = [];
  for (const load of LOADERS) {
    all.push(...(await load()).targets);
    if (names?.every((name) => all.some((target) => target.name === name)) === true) break;
  }
  if (names === null) return all;
  return names.map((name) => {
    const found = all.find((target) => target.name === name);
    if (found === undefined) {
      throw new Error(`no target ${name}; there are ${all.map((each) => each.name).join(', ')}`);
    }
    return found;
  });
}
