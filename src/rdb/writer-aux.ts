import type { ByteSlice } from '../bytes/slice.js';
import { OPCODE_AUX } from './constants.js';
import type { RdbOutput } from './encode/output.js';
import type { RdbTarget } from './writer-target.js';

export interface AuxOptions {
  /** The file is the base of an append-only log. */
  readonly aofBase: boolean;
  /** When the data was written, if the source does not say: seconds since the epoch. */
  readonly nowSeconds: number;
}

/** The fields in front of the data, in the order that servers write them. Time and memory are those of the source. */
export class AuxBlock {
  private readonly kept = new Map<string, Buffer>();
  private readonly scripts: Buffer[] = [];

  /** Takes what the target has a use for; true for a cached script, of which there may be many. */
  offer(name: string, value: ByteSlice, target: RdbTarget): void {
    if (name === 'ctime' || name === 'used-mem') this.kept.set(name, value.copy());
    else if (keepsScript(name, target)) this.scripts.push(value.copy());
  }

  write(output: RdbOutput, target: RdbTarget, options: AuxOptions): void {
    if (target.aux === 'none') return;
    const field = (name: string, value: Buffer | string) => writeAux(output, name, value);
    field(target.product === 'valkey' ? 'valkey-ver' : 'redis-ver', target.serverVersion);
    field('redis-bits', '64');
    field('ctime', this.kept.get('ctime') ?? String(options.nowSeconds));
    field('used-mem', this.kept.get('used-mem') ?? '0');
    if (target.aux !== 'unmarked') field(target.aux, options.aofBase ? '1' : '0');
    for (const script of this.scripts) field('lua', script);
  }
}

/** Whether a field is a script that the target brings back. */
export function keepsScript(name: string, target: RdbTarget): boolean {
  return name === 'lua' && target.aux === 'aof-preamble';
}

export function writeAux(output: RdbOutput, name: string, value: Buffer | string): void {
  output.byte(OPCODE_AUX);
  output.latin1(name);
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  output.text(bytes, 0, bytes.length);
}
