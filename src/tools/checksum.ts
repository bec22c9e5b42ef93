import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ByteSource } from '../bytes/source.js';
import { Crc64 } from '../kernels/crc64.js';

/** Two words of a CRC-64. */
export interface Checksum {
  readonly high: number;
  readonly low: number;
}

/** What the worker is given: sum the bytes of `path` from 0 up to `end`. */
export interface ChecksumTask {
  readonly path: string;
  readonly end: number;
}

/** Below this many bytes starting a thread costs more than it saves. */
export const WORKER_FROM_BYTES = 16 * 1024 * 1024;

/** A checksum under way on another thread. */
export class ChecksumJob {
  private readonly worker: Worker;
  private readonly outcome: Promise<Checksum | null>;

  private constructor(
    url: URL,
    readonly task: ChecksumTask,
  ) {
    this.worker = new Worker(url, { workerData: task });
    this.outcome = new Promise((resolve) => {
      this.worker.once('message', (sum: Checksum) => resolve(sum));
      // Whatever went wrong there, the thread that asked can still sum by itself.
      this.worker.once('error', () => resolve(null));
      this.worker.once('exit', () => resolve(null));
    });
  }

  /** Starts the job where it pays: a large file, a second core, and compiled code to start a thread from. */
  static start(task: ChecksumTask): ChecksumJob | null {
    if (task.end < WORKER_FROM_BYTES || availableParallelism() < 2) return null;
    const url = new URL('./checksum-worker.js', import.meta.url);
    return existsSync(fileURLToPath(url)) ? new ChecksumJob(url, task) : null;
  }

  /** The checksum, or null when the thread could not say. */
  result(): Promise<Checksum | null> {
    return this.outcome;
  }

  async cancel(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Sums the bytes of a source from 0 up to `end` on this thread. */
export async function sumRange(source: ByteSource, end: number, signal: AbortSignal): Promise<Checksum> {
  const crc = new Crc64();
  const chunk = Buffer.allocUnsafeSlow(1 << 20);
  const reader = await source.open();
  try {
    for (let at = 0; at < end; ) {
      signal.throwIfAborted();
      const count = await reader.read(chunk.subarray(0, Math.min(chunk.length, end - at)));
      if (count === 0) break;
      crc.update(chunk, 0, count);
      at += count;
    }
  } finally {
    await reader.close();
  }
  return { high: crc.high, low: crc.low };
}
