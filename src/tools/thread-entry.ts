import { parentPort, workerData } from 'node:worker_threads';
import { FileSource } from '../bytes/source.js';
import type { ThreadAnswer, ThreadTask } from './thread.js';

// The second thread: does the one task it was started with, answers, and ends.
const task = workerData as ThreadTask;
const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message);

// Of a file that was replaced meanwhile nothing may be told: who started this then goes on alone.
const source = await FileSource.of(task.file);
// Each task loads only what it needs: a thread starts from nothing.
if (task.kind === 'checksum') {
  const { sumRange } = await import('./check/checksum.js');
  answer({ kind: 'checksum', ...(await sumRange(source, task.end)) });
} else if (task.kind === 'names') {
  const { readNames } = await import('./check/twice.js');
  const { suspects } = await readNames(source, task.dialect, task.memoryBytes);
  answer({ kind: 'names', suspects: suspects?.numbers ?? null });
} else if (task.kind === 'rdb-back') {
  const { serveRdbBack } = await import('./check/rdb-back.js');
  await serveRdbBack(source, task, parentPort!);
} else if (task.kind === 'entries') {
  const { gatherEntries } = await import('./diff/entries-thread.js');
  await gatherEntries(source, task, parentPort!);
} else if (task.kind === 'losses-back') {
  const { surveyLogBack } = await import('./repair/losses-back.js');
  answer({ kind: 'losses-back', ...(await surveyLogBack(source, task)) });
} else if (task.kind === 'strict-back') {
  const { scanStrictBack } = await import('./checkers/strict-back.js');
  answer({ kind: 'strict-back', ...(await scanStrictBack(source, task)) });
} else {
  const { checkLogBack } = await import('./check/log-back.js');
  answer({ kind: 'log-back', ...(await checkLogBack(source, task)) });
}
