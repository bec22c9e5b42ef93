import type { Long } from '../bytes/int64.js';
import type { ByteTarget } from '../bytes/target.js';
import { FormatError } from '../errors.js';
import { ItemSink, KeyHead } from '../model/handler.js';
import {
  OPCODE_EXPIRETIME_MS,
  OPCODE_FUNCTION2,
  OPCODE_KEY_METADATA,
  OPCODE_SELECTDB,
  TRAILER_BYTES,
} from './constants.js';
import type { DialectName } from './dialect.js';
import { RdbFile } from './encode/file.js';
import { PayloadDecoder } from './payload.js';
import { writeAux } from './writer-aux.js';

/** Version and checksum at the end of a payload. */
const FOOTER_BYTES = 2 + TRAILER_BYTES;
const VALKEY_VERSION_MIN = 80;

/** Who gave the payloads, and when. */
export interface PayloadOrigin {
  readonly product: DialectName;
  /** As the server says it. */
  readonly version: string;
  readonly nowSeconds: number;
}

/**
 * Puts payloads as DUMP gives them together to an RDB, byte for byte as the server encoded them. Each is looked through
 * first: it must be one value and nothing else. The file has the version of the first payload.
 */
export class PayloadFile {
  /** Keys written so far. */
  keys = 0;
  private readonly file: RdbFile;
  private readonly decoder: PayloadDecoder;
  private readonly head = new KeyHead();
  /** Walks past values. */
  private readonly nobody = new ItemSink();
  private version: number | null = null;
  private selected = -1;
  private readonly libraries: Buffer[] = [];

  constructor(
    into: ByteTarget,
    private readonly origin: PayloadOrigin,
  ) {
    this.file = new RdbFile(into, true);
    this.decoder = new PayloadDecoder({
      product: origin.product,
      deep: false,
      onWarning: (code, offset) => {
        if (code === 'rdb/trailing-bytes') throw new FormatError(code, offset);
      },
    });
  }

  /** Function libraries come before the first key. */
  library(code: Buffer): void {
    this.libraries.push(code);
  }

  /** Adds a key. `expiresAtMs` null: it has no TTL. @throws FormatError for a payload that is none */
  add(database: number, key: Buffer, expiresAtMs: Long | null, payload: Buffer): void {
    const { head, nobody, file } = this;
    head.database = database;
    head.key.set(key, 0, key.length);
    head.hasExpiry = expiresAtMs !== null;
    this.decoder.value(payload, 0, payload.length, head, nobody);
    this.open(payload.readUInt16LE(payload.length - FOOTER_BYTES));
    const { output } = file;
    if (database !== this.selected) {
      this.selected = database;
      output.byte(OPCODE_SELECTDB);
      output.length(database);
    }
    if (expiresAtMs !== null) {
      output.byte(OPCODE_EXPIRETIME_MS);
      output.int64(expiresAtMs);
    }
    let typeAt = 0;
    if (head.metadata !== null) {
      output.byte(OPCODE_KEY_METADATA);
      output.raw(head.metadata, 0, head.metadata.length);
      typeAt = 1 + head.metadata.length;
    }
    output.byte(payload[typeAt]!);
    output.text(key, 0, key.length);
    output.raw(payload, typeAt + 1, payload.length - FOOTER_BYTES);
    this.keys++;
  }

  /** Writes what stands in front of the keys, or holds a payload against it. */
  private open(version: number): void {
    if (this.version === null) {
      this.version = version;
      this.begin(version);
    } else if (version > this.version) {
      throw new FormatError('rdb/unsupported-version', 0, { version });
    }
  }

  private begin(version: number): void {
    const { output } = this.file;
    const { product, version: server, nowSeconds } = this.origin;
    const isValkey = version >= VALKEY_VERSION_MIN;
    output.latin1Raw(
      isValkey ? `VALKEY${String(version).padStart(3, '0')}` : `REDIS${String(version).padStart(4, '0')}`,
    );
    writeAux(output, product === 'valkey' ? 'valkey-ver' : 'redis-ver', server);
    writeAux(output, 'redis-bits', '64');
    writeAux(output, 'ctime', String(nowSeconds));
    for (const code of this.libraries) {
      output.byte(OPCODE_FUNCTION2);
      output.text(code, 0, code.length);
    }
  }

  /** Ends the file; one without keys has the version given. */
  finish(emptyVersion: number): void {
    if (this.version === null) this.begin(emptyVersion);
    this.file.end('checksum');
  }
}
