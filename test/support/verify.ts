import { writeFileSync } from 'node:fs';
import { localDisk } from '../../src/bytes/disk.js';
import { Crc64 } from '../../src/kernels/crc64.js';
import type { LockOwner } from '../../src/tools/verify/lock.js';
import { PLAIN_RULES } from '../../src/tools/verify/rules.js';
import type { VerifyTarget } from '../../src/tools/verify/source.js';
import type { VerifyOptions } from '../../src/tools/verify.js';
import { RdbBuilder } from './rdb-builder.js';
import { str, u8, u32le } from './rdb-bytes.js';

/** What the verification of one backup takes, with nothing asked for but `changes`. */
export function verifyOptions(
  target: Partial<VerifyTarget>,
  changes: Partial<VerifyOptions> = {},
): VerifyOptions {
  return {
    targets: [verifyTarget(target)],
    statePath: null,
    lockPath: null,
    owner: someProcess(1000),
    metricsPath: null,
    timeoutMs: null,
    accept: false,
    ping: null,
    alarm: null,
    dialect: null,
    stdin: null,
    disk: localDisk,
    ...changes,
  };
}

export function verifyTarget(target: Partial<VerifyTarget>): VerifyTarget {
  return {
    ...{ name: 'orders', path: '', prefer: null, rules: PLAIN_RULES, drill: null },
    ...{ against: null, backups: null, separator: ':' },
    ...target,
  };
}

/** A process of that number; none but `alive` live beside it. */
export function someProcess(pid: number, alive: readonly number[] = [], host = 'here'): LockOwner {
  return { pid, host, isAlive: (other) => alive.includes(other) };
}

/** An RDB of so many strings `prefix:n`, saved at a time in seconds. */
export function backupOf(keys: number, savedAt: number, prefix = 'order'): Buffer {
  const builder = new RdbBuilder('REDIS0010');
  builder
    .aux('redis-ver', '7.0.15')
    .aux('ctime', Buffer.concat([u8(0xc2), u32le(savedAt)]), true)
    .database(0);
  for (let i = 0; i < keys; i++) builder.raw(u8(0), str(`${prefix}:${i}`), str('value'));
  return builder.end();
}

/** Writes the RDB of a server as one whose clock stood elsewhere when it saved would have: its time, and the checksum. */
export function writeSavedAt(path: string, rdb: Buffer, seconds: number): void {
  const copy = Buffer.from(rdb);
  const at = copy.indexOf('\xfa\x05ctime\xc2', 0, 'latin1');
  copy.writeInt32LE(seconds, at + 8);
  const sum = new Crc64();
  sum.update(copy, 0, copy.length - 8);
  copy.writeUInt32LE(sum.low, copy.length - 8);
  copy.writeUInt32LE(sum.high, copy.length - 4);
  writeFileSync(path, copy);
}
