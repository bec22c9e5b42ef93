import { parentPort, workerData } from 'node:worker_threads';
import { FileSource } from '../bytes/source.js';
import { sumRange } from './checksum.js';
import { checkLogHalf } from './log-half.js';
import type { ThreadAnswer, ThreadTask } from './thread.js';

// The second thread of a check: does the one task it was started with, answers, and ends.
const task = workerData as ThreadTask;
const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message);

const source = await FileSource.at(task.path);
if (task.kind === 'checksum') {
  answer({ kind: 'checksum', ...(await sumRange(source, task.end)) });
} else {
  const half = await checkLogHalf(source, task.middle, (offset) => answer({ kind: 'log-start', offset }));
  answer({ kind: 'log-half', ...half });
}
