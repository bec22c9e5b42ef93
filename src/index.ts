// Errors.

export { FormatError, InputError, OutputError, UsageError } from './errors.js';
export { DamageError } from './tools/report.js';

// Bytes in and out.

export type { Long } from './bytes/int64.js';
export { type PumpOptions, pump, pumpSource } from './bytes/pump.js';
export { ByteSlice } from './bytes/slice.js';
export { type ByteReader, type ByteSource, FileSource, MemorySource } from './bytes/source.js';
export { StreamSource } from './bytes/stream-source.js';
export { type ByteTarget, FileTarget } from './bytes/target.js';
export { ByteWindow, END, type Machine, NEED, PAUSE } from './bytes/window.js';

// Keys, values and findings.

export { DigestHandler } from './model/digest.js';
export { FINDINGS, type Finding, type FindingCode, type Location, type Severity } from './model/finding.js';
export {
  ELEMENTS,
  FRAGMENTS,
  ITEMS,
  type ItemHandler,
  ItemSink,
  KeyHead,
  RAW,
  SKIP,
} from './model/handler.js';
export type { ValueKind } from './model/kind.js';
export type { ModuleData, ModuleProblem, ModuleReading } from './model/module-value.js';
export type { StreamId } from './model/stream-id.js';
export type { KeyRecord, RedisValue } from './model/value.js';

// Each format by itself.

export { type Cut, NO_CUT } from './aof/cut.js';
export { type AofRecord, type ReadAofOptions, readAof } from './aof/records.js';
export { type AofFileEntry, type AofSet, openAofSet } from './aof/set.js';
export { RdbDecoder } from './rdb/decoder.js';
export { type RdbHandler, type RdbHeader, RdbSink, type RdbSummary } from './rdb/handler.js';
export { decodeModuleValue, type ModuleLimits } from './rdb/modules/decode.js';
export type { ReadRdbOptions } from './rdb/records.js';
export { RdbWriter } from './rdb/writer.js';
export { RDB_TARGETS, type RdbTarget } from './rdb/writer-target.js';
export { CommandPattern } from './resp/pattern.js';

// Live servers.

export { isServerAddress, parseServerAddress, type ServerAddress } from './live/address.js';
export type { TlsFiles } from './live/connection.js';

// What the commands do.

export type { CheckOptions, CheckReport } from './tools/check.js';
export type { CompactOptions, CompactReport } from './tools/compact.js';
export type { Progress } from './tools/context.js';
export type { ConvertForm } from './tools/convert/forms.js';
export { type Split, splitOf } from './tools/convert/split.js';
export { NO_TRANSFORMS, type Transforms, type TtlChange } from './tools/convert/transform.js';
export type { ConvertedOutput, ConvertOptions, ConvertReport } from './tools/convert.js';
export { Dataset, type Executed } from './tools/dataset.js';
export type { Difference, DiffOptions, DiffReport } from './tools/diff.js';
export type { DigestOptions, DigestReport } from './tools/digest.js';
export type { KeyDifference } from './tools/explore/compare.js';
export type { KeyPage, KeyQuery, KeySummary, KeyView } from './tools/explore/key-list.js';
export type { LogRow } from './tools/explore/rows.js';
export type { TimeMachine, Travel } from './tools/explore/time-machine.js';
export { type Server, serverNamed } from './tools/family.js';
export { EVERY_KEY, type KeyConditions } from './tools/filter.js';
export type { ValueChanges } from './tools/history/changes.js';
export type { KeyState } from './tools/history/sight.js';
export type { HistoryEntry } from './tools/history.js';
export type { InfoReport } from './tools/info.js';
export { type CompactRequest, compact, type LogRequest, log } from './tools/library/log.js';
export { type MemoryRequest, memory, type ReportRequest, report } from './tools/library/memory.js';
export { history, openTimeMachine } from './tools/library/time.js';
export { type VerifyRequest, type VerifySource, verify } from './tools/library/verify.js';
export {
  check,
  contextOf,
  convert,
  diff,
  digest,
  emptyDataset,
  info,
  loadDataset,
  openSource,
  planRepair,
  type RepairRequest,
  readRdb,
  recover,
  repair,
  replay,
  type SourceLike,
  type Surroundings,
  type WriteRdbOptions,
  type WrittenRdb,
  writeRdb,
} from './tools/library.js';
export { EVERY_COMMAND, type LogConditions } from './tools/log/filter.js';
export type { LogEntry, LogRecord } from './tools/log/list.js';
export type { LogPassEnd } from './tools/log/pass.js';
export { type ListedPrefix, listPrefixes } from './tools/memory/prefix-list.js';
export { type PrefixNode, PrefixTree } from './tools/memory/prefix-tree.js';
export type { SpreadBucket } from './tools/memory/spread.js';
export type { KeySum } from './tools/memory/tally.js';
export type { LargeKey } from './tools/memory/top-keys.js';
export type { KindSum, MemoryOptions, MemoryReport, SlotSums } from './tools/memory.js';
export type { RecoverOptions, RecoverReport } from './tools/recover.js';
export type { PlanOptions, RepairAction, StrategyPlan } from './tools/repair/plan.js';
export type { RepairOptions, RepairOutput, RepairPlan, RepairReport } from './tools/repair.js';
export type { Proof, ProveRequest, ServerDifference } from './tools/replay/prove.js';
export type { RateLimit } from './tools/replay/rate.js';
export type { SendReport, SendRequest } from './tools/replay/send.js';
export type { Undone } from './tools/replay/undo.js';
export {
  type CutRequest,
  PLAIN_REPLAY,
  type ReplayOptions,
  type ReplayReport,
  type ReplayTarget,
  type UndoReport,
} from './tools/replay.js';
export type { ReportWords } from './tools/report/page-data.js';
export type { ReportOptions, WrittenReport } from './tools/report/write-report.js';
export type { CheckedFile, NotChecked } from './tools/report.js';
export type { DatasetSource, OpenOptions, Source } from './tools/source.js';
export { targetNamed } from './tools/target-choice.js';
export type { RuleName, RuleResult, VerifyRules } from './tools/verify/rules.js';
export type { AgainstReport, BackupEntry, DrillReport, SourceVerdict } from './tools/verify/verdict.js';
export type { VerifyOptions, VerifyRemark, VerifyReport } from './tools/verify.js';
export type { Loss, OutputForm, OutputRequest, WrittenOutput } from './tools/write-dataset.js';
