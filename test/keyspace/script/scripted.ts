import { Engine } from '../../../src/keyspace/engine.js';
import { Keyspace } from '../../../src/keyspace/keyspace.js';
import { APPLIED, type Outcome } from '../../../src/keyspace/outcome.js';
import type { ScriptLimits } from '../../../src/keyspace/script/lua-state.js';
import { Failure, type Reply, Status } from '../../../src/keyspace/script/reply.js';
import { Scripts } from '../../../src/keyspace/script/scripts.js';
import { DigestHandler, digestFamilyOf } from '../../../src/model/digest.js';
import { CommandSpans } from '../../../src/resp/command.js';

/** An engine of a release of Redis that keeps what scripts reply. */
export class ScriptedEngine {
  readonly engine: Engine;
  readonly scripts: Scripts;

  constructor(release = 400, limits?: ScriptLimits) {
    this.engine = new Engine(new Keyspace(), { nowMs: 1772366400000, scoreText: '17g', release });
    this.scripts = new Scripts(this.engine, limits);
    this.scripts.keepsReply = true;
    this.engine.scripts = this.scripts;
  }

  do(...args: readonly (string | Uint8Array)[]): Outcome {
    return this.engine.execute(CommandSpans.of(...args));
  }

  /** What EVAL replies; an error it ends with is one, too. */
  eval(script: string, ...args: readonly (string | Uint8Array)[]): Reply {
    const outcome = this.do('EVAL', script, ...(args.length === 0 ? ['0'] : args));
    return outcome === APPLIED ? this.scripts.reply : new Failure(this.engine.lastError);
  }

  /** The obstacle that a script meets; null when it meets none. */
  obstacle(...args: readonly string[]): { code: string; detail: object } | null {
    this.engine.obstacle = null;
    this.do(...args);
    return this.engine.obstacle;
  }

  /** Deletes all keys one by one: a FLUSHALL would get new memory for each script. */
  empty(): void {
    const { keyspace } = this.engine;
    for (const index of keyspace.indexes()) {
      const db = keyspace.database(index);
      for (let entry = 0; entry < db.entriesEnd; entry++) if (db.isLive(entry)) db.delete(entry);
    }
  }

  digest(): string {
    const { scoreText, fieldTtls, skipsExpiredFields } = digestFamilyOf('redis', '4.0');
    const handler = new DigestHandler({ scoreText, fieldTtls, skipsExpiredFields, nowMs: null, onKey: null });
    this.engine.keyspace.walk(handler).run();
    return handler.result();
  }
}

/** A reply as plain data: texts as they are, all else named. */
export function told(reply: Reply): unknown {
  if (typeof reply === 'number') return { integer: BigInt(reply).toString() };
  if (reply instanceof Status) return { status: reply.text };
  if (reply instanceof Failure) return { error: reply.text.replace(/[\r\n]/g, ' ').trimEnd() };
  return Array.isArray(reply) ? reply.map(told) : reply;
}
