import { NO_CUT } from '../../aof/cut.js';
import { END } from '../../bytes/window.js';
import { InputError, OutputError, UsageError } from '../../errors.js';
import { Walk } from '../../keyspace/walk.js';
import { type Depth, ItemSink, type KeyHead, SKIP } from '../../model/handler.js';
import type { DialectName } from '../../rdb/dialect.js';
import type { ToolContext } from '../context.js';
import { digest, digestKeyspace } from '../digest.js';
import { EVERY_KEY } from '../filter.js';
import { type Rebuilt, rebuild } from '../rebuild.js';
import { prove } from '../replay/prove.js';
import { DamageError } from '../report.js';
import { asLog, type Source } from '../source.js';
import type { Profile } from './profile.js';
import type { DrillReport } from './verdict.js';

export interface DrillRequest {
  readonly kind: 'embedded' | 'server';
  /** Program of the server; null: one on the path. */
  readonly program: string | null;
  readonly dialect: DialectName | null;
}

const DIGEST = { as: null, conditions: EVERY_KEY, keys: null } as const;

/**
 * Restores a backup as far as it goes without touching anything: loads or executes it in the embedded engine, and for
 * `server` in a server of its own too, and compares. `profile` counts the keys that came out. Nothing that goes wrong is
 * thrown but the signal's reason: a drill that fails is what it is for.
 */
export async function restoreDrill(
  source: Source,
  request: DrillRequest,
  profile: Profile,
  context: ToolContext,
): Promise<DrillReport> {
  const failed = (why: string): DrillReport => ({ ...NOTHING, kind: request.kind, why });
  try {
    const set = await asLog(source);
    const options = { cut: NO_CUT, as: null, onUnknown: 'stop', dialect: request.dialect } as const;
    const rebuilt = await rebuild(set, options, context);
    countKeys(rebuilt, profile, context);
    const report = await digestKeyspace(rebuilt, { ...DIGEST, dialect: request.dialect }, context);
    const embedded = { ...NOTHING, kind: request.kind, keys: profile.keys, digest: report.digest };
    if (request.kind === 'embedded') return await embeddedVerdict(source, embedded, request, context);
    const { stoppedAt } = rebuilt.end;
    const proof = await prove(set, stoppedAt, null, rebuilt, { program: request.program }, context);
    const { equal, server, ours, theirs, differenceCount } = proof;
    const why = equal ? '' : `the server holds something else: ${differenceCount} keys differ`;
    return { ...embedded, ok: equal, digest: ours, serverDigest: theirs, server, why };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof DamageError) return failed(error.message);
    if (error instanceof OutputError || error instanceof InputError) {
      return failed(`${error.path}: ${error.message}`);
    }
    if (error instanceof UsageError) return failed(error.message);
    throw error;
  }
}

const NOTHING: DrillReport = {
  kind: 'embedded',
  ok: false,
  keys: null,
  digest: null,
  serverDigest: null,
  server: null,
  why: '',
};

/** What came out of an RDB must be what streams past when it is read: nothing is lost on the way into memory. */
async function embeddedVerdict(
  source: Source,
  report: DrillReport,
  { dialect }: DrillRequest,
  context: ToolContext,
): Promise<DrillReport> {
  if (source.kind !== 'rdb') return { ...report, ok: true };
  const streamed = await digest(source, { ...DIGEST, dialect }, context);
  const ok = streamed.digest === report.digest;
  return {
    ...report,
    ok,
    why: ok ? '' : `what was loaded has another digest than the file, ${streamed.digest}`,
  };
}

function countKeys({ keyspace }: Rebuilt, profile: Profile, context: ToolContext): void {
  const walk = new Walk(keyspace, new HeadCounter(profile));
  while (walk.run() !== END) context.signal.throwIfAborted();
}

class HeadCounter extends ItemSink {
  readonly full = false;

  constructor(private readonly profile: Profile) {
    super();
  }

  override key(head: KeyHead): Depth {
    this.profile.key(head);
    return SKIP;
  }
}
