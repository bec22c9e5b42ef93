import { isUnderstood, productOf } from '../../rdb/modules/products.js';
import type { ModuleCount } from '../../tools/inventory.js';
import type { Json } from './json.js';
import { counted } from './numbers.js';

/** What a module has in a file: `TSDB-TYPE 9 (time series of RedisTimeSeries), 4 keys`. */
export function moduleText({ name, version, keys, auxRecords }: ModuleCount): string {
  const of = name === '' ? 'values whose id names no module' : `${name} ${version} (${meaning(name)})`;
  const parts = [
    ...(keys > 0 ? [counted(keys, 'key')] : []),
    ...(auxRecords > 0 ? [counted(auxRecords, 'auxiliary record')] : []),
    ...(keys > 0 && !isUnderstood(name, version) ? ['kept as bytes'] : []),
  ];
  return [of, ...parts].join(', ');
}

function meaning(name: string): string {
  return productOf(name) ?? 'an unknown module';
}

export function moduleJson({ name, version, keys, auxRecords }: ModuleCount): Json {
  return {
    name,
    version,
    product: productOf(name),
    understood: isUnderstood(name, version),
    keys,
    moduleAux: auxRecords,
  };
}
