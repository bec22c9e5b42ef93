import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { Crc64 } from '../kernels/crc64.js';
import type { ChecksumTask } from './checksum.js';

// The second thread of a check: reads the file by itself, so that nothing but two numbers crosses threads.
const { path, end } = workerData as ChecksumTask;
const CHUNK = 1 << 20;

const crc = new Crc64();
const chunk = Buffer.allocUnsafeSlow(CHUNK);
const descriptor = openSync(path, 'r');
for (let at = 0; at < end; ) {
  const count = readSync(descriptor, chunk, 0, Math.min(CHUNK, end - at), at);
  if (count === 0) throw new Error('the file became shorter');
  crc.update(chunk, 0, count);
  at += count;
}
closeSync(descriptor);
parentPort?.postMessage({ high: crc.high, low: crc.low });
