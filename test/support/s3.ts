import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** As much of a request and its answer as tests meddle with. */
export interface S3Exchange {
  readonly method: string;
  readonly path: string;
  readonly req: { readonly headers: Readonly<Record<string, string | undefined>> };
  readonly res: { destroy(): void };
  status: number;
  type: string;
  body: Readable | string | undefined;
}

type Middleware = (exchange: S3Exchange, next: () => Promise<void>) => Promise<void>;

interface Rver {
  readonly middleware: Middleware[];
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}

type RverClass = new (options: Record<string, unknown>) => Rver;

export const BUCKET = 'backups';

/** A server that speaks S3, its directory and everything the SDK has to know of it. */
export class S3Server {
  /** Stands between the server and whoever asks; null: nobody does. */
  meddle: Middleware | null = null;
  /** Ranges of objects asked for, in order. */
  readonly ranges: string[] = [];

  private constructor(
    private readonly rver: Rver,
    private readonly directory: string,
    readonly environment: Readonly<Record<string, string>>,
    private readonly client: S3Client,
  ) {}

  static async start(): Promise<S3Server> {
    const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as RverClass;
    const directory = await mkdtemp(join(tmpdir(), 'rekindle-s3-'));
    const configureBuckets = [{ name: BUCKET, configs: [] }];
    // It sums up some queries of listings in another way than the SDK.
    const allowMismatchedSignatures = true;
    const where = { port: 0, address: '127.0.0.1', directory };
    const rver = new S3rver({ ...where, silent: true, allowMismatchedSignatures, configureBuckets });
    let server: S3Server | null = null;
    rver.middleware.unshift((exchange, next) => server?.observe(exchange, next) ?? next());
    const endpoint = `http://127.0.0.1:${(await rver.run()).port}`;
    const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
    const client = new S3Client({ endpoint, forcePathStyle: true, region: 'us-east-1', credentials });
    const environment = {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    server = new S3Server(rver, directory, environment, client);
    return server;
  }

  private observe(exchange: S3Exchange, next: () => Promise<void>): Promise<void> {
    const { range } = exchange.req.headers;
    if (exchange.method === 'GET' && range !== undefined) this.ranges.push(range);
    return this.meddle === null ? next() : this.meddle(exchange, next);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: bytes }));
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.rver.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}
