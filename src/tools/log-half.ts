import { AofFileMachine } from '../aof/file.js';
import { pumpSource } from '../bytes/pump.js';
import type { ByteSource } from '../bytes/source.js';
import type { Machine } from '../bytes/window.js';
import { FormatError } from '../errors.js';
import { SKIM } from '../resp/scanner.js';
import { FindingList } from './check-findings.js';
import { LogCheck, type LogCounts } from './check-log.js';

/** Bytes behind the middle that are searched for the start of a record. */
const SEARCH_BYTES = 1 << 20;
const RECORD_START = /\r\n\*[1-9]\d{0,5}\r\n\$\d{1,9}\r\n/;

/**
 * Checks the second part of a log: from the first place behind `middle` where a record seems to start, which `onStart`
 * is told, to the end. Whether a record really starts there only the first part can tell; and what is not clean here
 * may look otherwise from there.
 */
export async function checkLogHalf(
  source: ByteSource,
  middle: number,
  quick: boolean,
  onStart: (offset: number) => void,
): Promise<LogCounts & { readonly clean: boolean }> {
  const start = await findRecord(source, middle);
  if (start === null) return NOT_CLEAN;
  onStart(start);
  const findings = new FindingList(source.label);
  const check = new LogCheck(findings, quick);
  try {
    await pumpSource(source, new AofFileMachine(check, noPreamble, SKIM), { start });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return NOT_CLEAN;
  }
  const { commands, moduleCommands, firstModuleCommand, firstBlock, lastSeconds } = check;
  const counts = { commands, moduleCommands, firstModuleCommand, firstBlock, lastSeconds };
  return { clean: findings.list.length === 0, ...counts };
}

const NOT_CLEAN = {
  clean: false,
  commands: 0,
  moduleCommands: 0,
  firstModuleCommand: '',
  firstBlock: -1,
  lastSeconds: -1,
} as const;

function noPreamble(): Machine {
  throw new FormatError('aof/bad-prefix', 0);
}

async function findRecord(source: ByteSource, middle: number): Promise<number | null> {
  const reader = await source.open(middle);
  try {
    const bytes = Buffer.alloc(SEARCH_BYTES);
    const count = await reader.read(bytes);
    const match = RECORD_START.exec(bytes.latin1Slice(0, count));
    return match === null ? null : middle + match.index + 2;
  } finally {
    await reader.close();
  }
}
