import type { MessagePort } from 'node:worker_threads';
import { pumpSource } from '../../bytes/pump.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { ByteSource } from '../../bytes/source.js';
import { assert } from '../../errors.js';
import { RecordKernel } from '../../kernels/records.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import type { Shortcut } from '../../rdb/shortcut.js';
import { RdbRelay } from '../relay.js';
import type { ThreadAnswer, ThreadTask } from '../thread.js';
import { EntryMaker, EntryShortcut } from './entries.js';
import { Passages } from './passages.js';

/** Blocks that may be on their way at a time. */
const UNTAKEN_MAX = 8;

/**
 * The second thread's part of a comparison: makes the entries of one side and posts them.
 *
 * @throws FormatError when the file is damaged
 */
export async function gatherEntries(
  source: ByteSource,
  { seeds, bytes, dialect }: Extract<ThreadTask, { kind: 'entries' }>,
  port: MessagePort,
): Promise<void> {
  const kernel = RecordKernel.create(seeds);
  assert(kernel !== null, 'threads are started where there is WebAssembly');
  const post = new BlockPost(port);
  const take = post.blocks.bind(post);
  const maker = new EntryMaker(kernel, seeds, bytes, take);
  const passages = new Passages();
  const shortcut = new EntryShortcut(kernel, bytes, take, passages, post);
  const listener = new EntryListener(maker, shortcut, post);
  const options = { verifyChecksum: true, deep: false, ...(dialect !== null && { dialect }) };
  await pumpSource(source, new RdbDecoder(listener, options), { drain: () => post.drain() });
  const last: { part: number; entries: Uint8Array }[] = [];
  kernel.finish(take, (part, entries) => last.push({ part, entries }));
  const libraries = [...maker.libraries.keys()];
  const { told } = listener;
  const answer: ThreadAnswer = { kind: 'entries', last, libraries, aux: told, passages: passages.told() };
  port.postMessage(answer);
  port.close();
}

/** Posts blocks, and knows how many were not taken yet. */
class BlockPost {
  private untaken = 0;
  private onTaken: () => void = () => {};

  constructor(private readonly port: MessagePort) {
    port.on('message', () => {
      this.untaken--;
      this.onTaken();
    });
  }

  blocks(borrowed: Uint8Array, owners: Uint8Array): void {
    this.untaken++;
    const blocks = new Uint8Array(borrowed);
    const answer: ThreadAnswer = { kind: 'blocks', blocks, owners: new Uint8Array(owners) };
    this.port.postMessage(answer, [blocks.buffer]);
  }

  get full(): boolean {
    return this.untaken >= UNTAKEN_MAX;
  }

  async drain(): Promise<void> {
    while (this.full) {
      await new Promise<void>((resolve) => {
        this.onTaken = resolve;
      });
    }
  }
}

class EntryListener extends RdbRelay {
  readonly told: (readonly [name: string, value: string])[] = [];

  constructor(
    maker: EntryMaker,
    readonly shortcut: Shortcut,
    private readonly post: BlockPost,
  ) {
    super(maker);
  }

  override aux(name: ByteSlice, value: ByteSlice): void {
    this.told.push([name.latin1(), value.latin1()]);
  }

  override get full(): boolean {
    return this.post.full;
  }
}
