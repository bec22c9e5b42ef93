import type { MessagePort } from 'node:worker_threads';
import { pumpSource } from '../../bytes/pump.js';
import type { ByteSlice } from '../../bytes/slice.js';
import type { FileSource } from '../../bytes/source.js';
import { assert } from '../../errors.js';
import { RecordKernel } from '../../kernels/records.js';
import { RdbDecoder } from '../../rdb/decoder.js';
import type { Shortcut } from '../../rdb/shortcut.js';
import { RdbRelay } from '../relay.js';
import type { JoinTask, NotesTask, ThreadAnswer, ThreadTask } from '../thread.js';
import { EntryMaker, EntryShortcut } from './entries.js';
import { Passages } from './passages.js';
import { readingTo } from './side.js';
import { SkippingSource } from './skipping-source.js';
import { type Slab, SlabFiller } from './slabs.js';

const NO_SKIPS = new Float64Array(0);
/** Slabs that may be on their way at a time. */
const UNTAKEN_MAX = 8;

/**
 * The second thread's part of a comparison: makes the entries of one side and posts them; then it takes notes of the keys
 * that it is asked about, until it is ended.
 *
 * @throws FormatError when the file is damaged
 */
export async function gatherEntries(
  source: FileSource,
  { seeds, bytes, dialect }: Extract<ThreadTask, { kind: 'entries' }>,
  port: MessagePort,
): Promise<void> {
  const kernel = RecordKernel.create(seeds);
  assert(kernel !== null, 'threads are started where there is WebAssembly');
  const post = new SlabPost(port);
  const take = post.take.bind(post);
  const maker = new EntryMaker(kernel, seeds, bytes, take);
  const passages = new Passages(null, source.size);
  const shortcut = new EntryShortcut(kernel, bytes, take, passages, post);
  const listener = new EntryListener(maker, shortcut, post);
  const options = { verifyChecksum: true, deep: false, ...(dialect !== null && { dialect }) };
  await pumpSource(new SkippingSource(source, NO_SKIPS), new RdbDecoder(listener, options), {
    drain: () => post.drain(),
    ...readingTo(kernel.rooms, NO_SKIPS),
  });
  const last: { part: number; entries: Uint8Array }[] = [];
  kernel.finish(take, (part, entries) => last.push({ part, entries }));
  post.finish();
  const libraries = [...maker.libraries.keys()];
  const { told } = listener;
  const answer: ThreadAnswer = { kind: 'entries', last, libraries, aux: told, passages: passages.told() };
  const { places, counts } = answer.passages;
  port.postMessage(answer, [places.buffer as ArrayBuffer, counts.buffer as ArrayBuffer]);
  // While the other thread finds out that it is wanted.
  const later = [import('./join-part.js'), import('./notes.js')] as const;
  port.on('message', async (task: Slab | JoinTask | NotesTask | null) => {
    if (!isTask(task)) return;
    const [{ joinPart, giveBack }, { noteKeys }] = [await later[0], await later[1]];
    const answer: ThreadAnswer =
      task.kind === 'join'
        ? { kind: 'joined', joined: await joinPart(task) }
        : { kind: 'notes', notes: await noteKeys(source, task, kernel) };
    port.postMessage(answer);
    // Once nothing of the task is known any more.
    if (task.kind === 'join') setImmediate(giveBack);
  });
}

const isTask = (message: Slab | JoinTask | NotesTask | null): message is JoinTask | NotesTask =>
  message !== null && 'kind' in message;

/** Posts slabs, and knows how many were not taken yet. */
class SlabPost {
  private readonly spare: Slab[] = [];
  private readonly filler: SlabFiller;
  private untaken = 0;
  private onTaken: () => void = () => {};

  constructor(port: MessagePort) {
    this.filler = new SlabFiller(this.spare, (slab, blocks) => {
      this.untaken++;
      const answer: ThreadAnswer = { kind: 'blocks', slab, blocks };
      port.postMessage(answer);
    });
    port.on('message', (slab: Slab | JoinTask | NotesTask | null) => {
      if (isTask(slab)) return;
      this.untaken--;
      if (slab !== null) this.spare.push(slab);
      this.onTaken();
    });
  }

  take(blocks: Uint8Array, owners: Uint8Array): void {
    this.filler.take(blocks, owners);
  }

  finish(): void {
    this.filler.finish();
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
    private readonly post: SlabPost,
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
