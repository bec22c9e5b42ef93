import type { Durability } from '../../tools/recover/durability.js';
import { counted, duration, instant } from './numbers.js';

/** The most that a crash by itself can have cost, a sentence a line. */
export function durabilityLines({
  by,
  heldBack,
  savePoints,
  lastSaveMs,
  lastWrittenMs,
}: Durability): string[] {
  const lines: string[] = [];
  switch (by) {
    case 'always':
      lines.push(
        'appendfsync always: no write that was acknowledged, as far as disk and file system keep what they confirm',
      );
      break;
    case 'everysec':
      lines.push(
        'appendfsync everysec, server killed: nothing, or up to 2 s of writes if it was waiting for a slow disk',
        'appendfsync everysec, power lost: about 1 s of writes, 2 s and more if the disk was slow (then its log says "Asynchronous AOF fsync is taking too long")',
      );
      break;
    case 'no':
      lines.push(
        'appendfsync no, server killed: nothing; the system had every write',
        'appendfsync no, power lost: whatever the system had not written back yet, on Linux about 30 s of writes',
      );
      break;
    case 'snapshot':
      lines.push(...snapshotLines({ savePoints, lastSaveMs, lastWrittenMs }));
      break;
  }
  if (heldBack && by !== 'snapshot') {
    lines.push(
      'no-appendfsync-on-rewrite yes: while a child saved or rewrote, no better than appendfsync no',
    );
  }
  return lines;
}

function snapshotLines({
  savePoints,
  lastSaveMs,
  lastWrittenMs,
}: Pick<Durability, 'savePoints' | 'lastSaveMs' | 'lastWrittenMs'>): string[] {
  const lines: string[] = [];
  if (lastSaveMs === null) lines.push('appendonly no and no snapshot: everything');
  else {
    const later = lastWrittenMs !== null && lastWrittenMs - lastSaveMs > 2000;
    const sign = later
      ? `; the last sign of life here is of ${instant(Math.floor(lastWrittenMs / 1000) * 1000)}`
      : '';
    lines.push(
      `appendonly no: every write since the last save at ${instant(Math.floor(lastSaveMs / 1000) * 1000)}${sign}`,
    );
  }
  if (savePoints.length === 0)
    lines.push('no save points: the server saved only when told to, so there is no bound');
  else {
    const points = savePoints.map(
      ({ seconds, changes }) => `${duration(seconds * 1000)} after ${counted(changes, 'write')}`,
    );
    lines.push(`save points: a save begins ${points.join(', ')}; what is lost is older only if saves failed`);
  }
  return lines;
}
