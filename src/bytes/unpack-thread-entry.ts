import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { FormatError, InputError } from '../errors.js';
import { type ByteReader, FileSource } from './source.js';
import { openUnpacked } from './unpack.js';
import type { UnpackMessage, UnpackTask } from './unpack-thread.js';

// The thread that unpacks a file: fills the memory it is given, sends it back, and ends with the file.
const { path, packing, start } = workerData as UnpackTask;
const port: MessagePort = parentPort!;
const empty: ArrayBuffer[] = [];
let wake: () => void = () => {};

port.on('message', (buffer: ArrayBuffer) => {
  empty.push(buffer);
  wake();
});

const send = (message: UnpackMessage): void =>
  port.postMessage(message, message.kind === 'bytes' ? [message.bytes.buffer] : []);

async function room(): Promise<Uint8Array<ArrayBuffer>> {
  while (empty.length === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  return new Uint8Array(empty.pop()!);
}

/** Sends what was read even when reading fails behind it. */
async function fillAndSend(reader: ByteReader): Promise<boolean> {
  const into = await room();
  let filled = 0;
  try {
    while (filled < into.length) {
      const count = await reader.read(into.subarray(filled));
      if (count === 0) return false;
      filled += count;
    }
    return true;
  } finally {
    if (filled > 0) send({ kind: 'bytes', bytes: into.subarray(0, filled) });
  }
}

try {
  const reader = await openUnpacked(await FileSource.at(path), packing, start, () => {});
  while (await fillAndSend(reader));
  send({ kind: 'end' });
} catch (error) {
  if (error instanceof FormatError) {
    send({ kind: 'format', code: error.code, offset: error.offset, detail: error.detail });
  } else if (error instanceof InputError) {
    const { code, message, hint } = error;
    send({ kind: 'input', code, path: error.path, message, hint });
  } else {
    throw error;
  }
}
