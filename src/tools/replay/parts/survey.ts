import type { DatabaseCount, Inventory } from '../../inventory.js';

/** How much there is of a dataset, values aside. Plain data. */
export type Survey = Pick<Inventory, 'total' | 'databases' | 'fieldTtls'>;

/** What one inventory says of it. */
export function surveyOf({ total, databases, fieldTtls }: Inventory): Survey {
  return { total, databases, fieldTtls };
}

/** What several parts come to. */
export function sumOfSurveys(parts: readonly Survey[]): Survey {
  const total = { keys: 0, withExpiry: 0, expired: 0 };
  const databases = new Map<number, DatabaseCount>();
  for (const part of parts) {
    addTo(total, part.total);
    for (const [index, count] of part.databases) {
      const sum = databases.get(index) ?? { keys: 0, withExpiry: 0, expired: 0 };
      addTo(sum, count);
      databases.set(index, sum);
    }
  }
  return { total, databases, fieldTtls: parts.some(({ fieldTtls }) => fieldTtls) };
}

function addTo(sum: DatabaseCount, { keys, withExpiry, expired }: DatabaseCount): void {
  sum.keys += keys;
  sum.withExpiry += withExpiry;
  sum.expired += expired;
}
