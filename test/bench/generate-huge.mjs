import { loadKernels } from './load-kernels.mjs';
import { makeProse, Random } from './output.mjs';
import { RdbOutput } from './rdb-output.mjs';

const BLOCK = 1 << 16;
/** Small keys on either side of the huge one. */
const NEIGHBOURS = 100;
/** About what a field of `writeHugeHash` takes. */
const FIELD_BYTES = 22;

function neighbours(rdb, name) {
  for (let i = 0; i < NEIGHBOURS; i++) {
    rdb.output.byte(0);
    rdb.text(`${name}:${i}`);
    rdb.text(`value of ${name} ${i}`);
    rdb.output.record();
  }
}

/** An RDB of a few small keys around one that is written by `body`. */
async function around(output, type, name, body) {
  const rdb = new RdbOutput(output, await loadKernels());
  rdb.begin(2 * NEIGHBOURS + 1, 0);
  neighbours(rdb, 'before');
  output.byte(type);
  rdb.text(name);
  body(rdb);
  output.record();
  neighbours(rdb, 'behind');
  rdb.end();
  return { bytes: output.size, keys: 2 * NEIGHBOURS + 1 };
}

/** One string of `size` bytes. */
export function writeHugeString(output, size, seed) {
  const prose = Buffer.from(makeProse(new Random(seed), BLOCK), 'latin1');
  return around(output, 0, 'huge:string', (rdb) => {
    rdb.length(size);
    for (let left = size; left > 0; left -= BLOCK) {
      const count = Math.min(left, BLOCK);
      prose.copy(output.bytes, output.position, 0, count);
      output.position += count;
      output.record();
    }
  });
}

/** One hash of short fields: fifty million at 1.1 GB. */
export function writeHugeHash(output, size, seed) {
  const random = new Random(seed);
  const fields = Math.max(1, Math.round(size / FIELD_BYTES));
  return around(output, 4, 'huge:hash', (rdb) => {
    rdb.length(fields);
    for (let i = 0; i < fields; i++) {
      rdb.text(`field:${String(i).padStart(8, '0')}`);
      rdb.text(String(random.below(1e6)));
      output.record();
    }
  });
}
