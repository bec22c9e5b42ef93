const RUNS = Number(process.env['REKINDLE_FUZZ_RUNS'] ?? 0);
const BASE = Number(process.env['REKINDLE_FUZZ_SEED'] ?? 1);

/** True when the tests may take their time: `npm run fuzz:tests`. */
export const THOROUGH = RUNS > 0;

/**
 * The seeds of one property: a few that are always the same, or as many as REKINDLE_FUZZ_RUNS says from
 * REKINDLE_FUZZ_SEED on. `property` sets apart what runs with the same numbers.
 */
export function seeds(property: string): number[] {
  let salt = 0;
  for (const letter of property) salt = (Math.imul(salt, 31) + letter.charCodeAt(0)) >>> 0;
  return Array.from({ length: THOROUGH ? RUNS : 2 }, (_, run) => (salt + BASE + run) >>> 0);
}
