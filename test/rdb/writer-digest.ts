import { DigestHandler } from '../../src/model/digest.js';
import { type Depth, type ItemHandler, type KeyHead, SKIP } from '../../src/model/handler.js';
import { type RdbHandler, RdbSink } from '../../src/rdb/handler.js';
import { decodeInto } from '../support/rdb.js';

/** Lets a handler of items listen to an RDB. */
export function listening(items: ItemHandler): RdbHandler {
  return new Proxy(new RdbSink(), {
    get(sink, name) {
      const owner = name in items ? items : sink;
      const found: unknown = Reflect.get(owner, name);
      return typeof found === 'function' ? found.bind(owner) : found;
    },
  });
}

/** The digest that Redis 7.0 prints, of all keys or all but some. */
class PartialDigest extends DigestHandler {
  private left = false;

  constructor(private readonly without: ReadonlySet<string>) {
    super({ scoreText: '17g', fieldTtls: false, skipsExpiredFields: false, nowMs: null, onKey: null });
  }

  override key(head: KeyHead): Depth {
    this.left = this.without.has(`${head.database} ${head.key.view().toString('base64')}`);
    return this.left ? SKIP : super.key(head);
  }

  override keyEnd(head: KeyHead): void {
    if (!this.left) super.keyEnd(head);
  }
}

/** DEBUG DIGEST of Redis 7.0 for an RDB; keys left out are named as `<db> <key in base64>`. */
export async function rdbDigest(bytes: Buffer, without: ReadonlySet<string> = new Set()): Promise<string> {
  const digest = new PartialDigest(without);
  await decodeInto(listening(digest), bytes);
  return digest.result();
}
