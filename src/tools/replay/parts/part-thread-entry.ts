import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { AofFileEntry, AofSet } from '../../../aof/set.js';
import { FileSource } from '../../../bytes/source.js';
import { FormatError } from '../../../errors.js';
import { CommandPattern } from '../../../resp/pattern.js';
import type { ToolContext } from '../../context.js';
import { reclaimMemory } from '../../reclaim.js';
import { LocalPart } from './part.js';
import type { EncodeRequest } from './part-encoder.js';
import { PartsCrossed } from './part-gate.js';
import {
  BLOCKS_AHEAD,
  type PartFailure,
  type PartMessage,
  type PartOrder,
  type PartTask,
  type TaskFile,
} from './thread-part.js';

// The thread that holds a part: executes the log, says what came of it, and waits to be asked for the keys.
const task = workerData as PartTask;
const port = parentPort as MessagePort;
const say = (message: PartMessage): void => port.postMessage(message);

/** How much is read from one word of progress to the next. */
const PROGRESS_BYTES = 4 << 20;

let ahead = 0;
let wake: (() => void) | null = null;

async function openFile({ file, ...entry }: TaskFile): Promise<AofFileEntry> {
  return { ...entry, source: await FileSource.of(file) };
}

async function openSet(): Promise<AofSet> {
  const { directory, manifestPath } = task;
  const none = { manifest: null, history: [], missing: [], strays: [], findings: [] };
  return { directory, manifestPath, files: await Promise.all(task.files.map(openFile)), ...none };
}

function contextFor(set: AofSet): ToolContext {
  let next = 0;
  let at = '';
  return {
    nowMs: task.nowMs,
    clock: () => 0,
    signal: new AbortController().signal,
    progress: ({ label, done }) => {
      if (label === at && done < next) return;
      at = label;
      next = done + PROGRESS_BYTES;
      say({ kind: 'progress', file: set.files.findIndex(({ path }) => path === label), done });
    },
    // It is the other thread that watches what the process holds.
    memoryBytes: Number.POSITIVE_INFINITY,
    heldBytes: () => 0,
  };
}

async function encode(part: LocalPart, request: EncodeRequest): Promise<void> {
  const blocks = part.blocks(request);
  for (;;) {
    const { done, value } = await blocks.next();
    if (done === true) {
      say({ kind: 'encoded', losses: value });
      return;
    }
    if (++ahead > BLOCKS_AHEAD) await new Promise<void>((resolve) => (wake = resolve));
    port.postMessage({ kind: 'block', ...value } satisfies PartMessage, [value.bytes.buffer as ArrayBuffer]);
  }
}

function failureOf(error: unknown): PartFailure {
  const isFormat = error instanceof FormatError;
  return {
    crossed: error instanceof PartsCrossed,
    message: error instanceof Error ? error.message : String(error),
    format: isFormat
      ? {
          ...{ code: error.code, offset: error.offset, detail: error.detail, file: error.file },
          trail: error.trail,
        }
      : null,
  };
}

const fail = (error: unknown): void => say({ kind: 'failed', failure: failureOf(error) });

try {
  const { request, before } = task;
  const cut = { ...request.cut, before: before.map((text) => new CommandPattern(text)) };
  const set = await openSet();
  const part = new LocalPart(set, { ...request, cut }, contextFor(set));
  port.on('message', (order: PartOrder) => {
    if (order.kind === 'encode') {
      encode(part, order.request).catch(fail);
    } else if (order.kind === 'reclaim') {
      reclaimMemory();
      say({ kind: 'reclaimed' });
    } else {
      ahead--;
      wake?.();
      wake = null;
    }
  });
  say({ kind: 'read', reading: await part.read() });
} catch (error) {
  fail(error);
  port.close();
}
