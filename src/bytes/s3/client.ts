import type { GetObjectCommandOutput, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { InputError } from '../../errors.js';
import {
  type ObjectFacts,
  type ObjectListing,
  type ObjectPart,
  type ObjectStore,
  type PartRequest,
  PassingFailure,
} from './store.js';

/** How S3 is reached, beside what the SDK finds in its environment: endpoint, region, credentials. */
export interface S3Access {
  /** True for servers that name the bucket in the path, as most outside AWS do. */
  readonly pathStyle: boolean;
}

const PACKAGE = '@aws-sdk/client-s3';
const CONNECT_MS = 10_000;
/** A connection over which nothing came for so long is taken for cut. */
const SILENT_MS = 30_000;

/**
 * A bucket through the AWS SDK, which is loaded now; `asked` is the address that an error names.
 *
 * @throws InputError when the SDK is not installed, or has no region
 */
export async function connectS3(
  bucket: string,
  access: S3Access,
  asked = `s3://${bucket}`,
): Promise<ObjectStore> {
  const label = `s3://${bucket}`;
  const sdk = await import('@aws-sdk/client-s3').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ERR_MODULE_NOT_FOUND' ? notInstalled(asked) : error;
  });
  const client = new sdk.S3Client({
    forcePathStyle: access.pathStyle,
    // Sums of ours would cover whole objects only; bytes are checked by what they are.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
  });
  return new Bucket(sdk, client, bucket, label);
}

type Sdk = typeof import('@aws-sdk/client-s3');

class Bucket implements ObjectStore {
  constructor(
    private readonly sdk: Sdk,
    private readonly client: S3Client,
    private readonly bucket: string,
    readonly label: string,
  ) {}

  async look(key: string, signal: AbortSignal | null): Promise<ObjectFacts | null> {
    const named = { Bucket: this.bucket, Key: key };
    const options = signal === null ? {} : { abortSignal: signal };
    try {
      const answer = await this.client.send(new this.sdk.HeadObjectCommand(named), options);
      return { size: answer.ContentLength ?? 0, etag: answer.ETag ?? '' };
    } catch (error) {
      if (told(error).status === 404) return null;
    }
    // Such an answer has no body that says why: the same is asked in a way that has one.
    try {
      const answer = await this.client.send(
        new this.sdk.GetObjectCommand({ ...named, Range: 'bytes=0-0' }),
        options,
      );
      (answer.Body as unknown as Body).destroy();
      return { size: sizeOf(answer), etag: answer.ETag ?? '' };
    } catch (error) {
      throw this.final(error, `${this.label}/${key}`);
    }
  }

  async get({ key, start, end, etag, signal }: PartRequest): Promise<ObjectPart | null> {
    const command = new this.sdk.GetObjectCommand({
      Bucket: this.bucket,
      Key: key,
      Range: `bytes=${start}-${end - 1}`,
      IfMatch: etag,
    });
    try {
      const answer = await this.client.send(command, { abortSignal: signal });
      return { size: sizeOf(answer), etag: answer.ETag ?? '', body: bodyOf(answer, signal) };
    } catch (error) {
      const { name, status } = told(error);
      if (name === 'NoSuchKey') return null;
      // Another object by now, which may end before the range.
      if (status === 412 || status === 416) return { size: -1, etag: '', body: nothing() };
      throw failureOf(error, this.label, `${this.label}/${key}`);
    }
  }

  async list(prefix: string, limit: number): Promise<ObjectListing> {
    const objects = new Map<string, number>();
    const directories = new Set<string>();
    const place = `${this.label}/${prefix}`;
    let token: string | undefined;
    do {
      const command = new this.sdk.ListObjectsV2Command({
        Bucket: this.bucket,
        Prefix: prefix,
        Delimiter: '/',
        ...(token !== undefined && { ContinuationToken: token }),
      });
      const page = await this.client.send(command).catch((error) => {
        throw this.final(error, place);
      });
      for (const { Key: key = '', Size: size = 0 } of page.Contents ?? []) {
        // What consoles make for an empty directory is an object of its very name.
        if (key !== prefix) objects.set(key.slice(prefix.length), size);
      }
      for (const { Prefix: key = '' } of page.CommonPrefixes ?? []) {
        directories.add(key.slice(prefix.length).replace(/\/$/, ''));
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined && objects.size + directories.size <= limit);
    return { objects, directories };
  }

  /** The SDK has tried again by itself. */
  private final(error: unknown, place: string): Error {
    const failure = failureOf(error, this.label, place);
    if (!(failure instanceof PassingFailure)) return failure;
    const hint = 'check AWS_ENDPOINT_URL, and that the server runs';
    return new InputError('input/unreadable', place, `the connection failed: ${failure.message}`, hint);
  }
}

/** In Node.js. */
type Body = AsyncIterable<Uint8Array> & { destroy(): void };

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Of the whole object: what stands behind the slash of `bytes 0-99/1234`. */
function sizeOf({ ContentRange: range, ContentLength: length }: GetObjectCommandOutput): number {
  const size = /\/(\d+)$/.exec(range ?? '')?.[1];
  return size === undefined ? (length ?? 0) : Number(size);
}

async function* bodyOf(answer: GetObjectCommandOutput, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const body = answer.Body as unknown as Body;
  const end = () => body.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    yield* body;
  } catch (error) {
    signal.throwIfAborted();
    throw new PassingFailure(told(error).name);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** What the SDK says of an error: its name and the status of HTTP, 0 where no answer came. */
function told(error: unknown): { readonly name: string; readonly status: number } {
  const { name, Code, code, $metadata } = error as Partial<S3ServiceException> & {
    readonly Code?: string;
    readonly code?: string;
  };
  return { name: Code ?? code ?? name ?? 'Error', status: $metadata?.httpStatusCode ?? 0 };
}

const PASSING =
  /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|TimeoutError|RequestTimeout|SlowDown|aborted|ERR_STREAM_PREMATURE_CLOSE)$/;

/** The SDK's own words are not repeated where ours are better, and never where they could hold what was signed. */
function failureOf(error: unknown, bucket: string, place: string): Error {
  if (error instanceof Error && error.name === 'AbortError') return error;
  const { name, status } = told(error);
  if (name === 'NoSuchBucket') {
    return new InputError('input/missing', bucket, 'no such bucket', 'check its name, and AWS_ENDPOINT_URL');
  }
  if (/^(AccessDenied|Forbidden|AllAccessDisabled)$/.test(name) || (status === 403 && name === '403')) {
    const hint = 'reading takes s3:GetObject, and s3:ListBucket for directories and to tell what is missing';
    return new InputError('input/permission', place, 'access denied', hint);
  }
  if (
    /^(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|RequestTimeTooSkewed)$/.test(name)
  ) {
    const hint =
      'check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, and the clock';
    return new InputError('input/permission', place, `the credentials were refused (${name})`, hint);
  }
  if (name === 'CredentialsProviderError') {
    const hint = 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE';
    return new InputError('input/permission', place, 'there are no credentials', hint);
  }
  if (/Region is missing/.test((error as Error).message)) {
    const hint = 'set AWS_REGION; servers of your own take any, for example us-east-1';
    return new InputError('input/unreadable', place, 'the region of the bucket is not known', hint);
  }
  if (status === 301 || /^(PermanentRedirect|AuthorizationHeaderMalformed)$/.test(name)) {
    return new InputError('input/unreadable', place, 'the bucket is in another region', 'set AWS_REGION');
  }
  if (/^(ENOTFOUND|EAI_AGAIN)$/.test(name)) {
    const hint =
      'check AWS_ENDPOINT_URL; with a server that names buckets in the path set REKINDLE_S3_PATH_STYLE=1';
    return new InputError('input/unreadable', place, 'the server has no address', hint);
  }
  if (PASSING.test(name) || status >= 500 || status === 429) {
    return new PassingFailure(status === 0 ? name : `${name}, status ${status}`);
  }
  // Without an answer it is the SDK's own settings that are wrong, and it says which.
  const answer = status === 0 ? `: ${(error as Error).message.split('\n')[0]}` : ` (status ${status})`;
  return new InputError('input/unreadable', place, `the request failed: ${name}${answer}`);
}

function notInstalled(label: string): InputError {
  return new InputError(
    'input/package',
    label,
    `reading from S3 takes the package ${PACKAGE}, which is not installed`,
    `npm install ${PACKAGE} (with -g where rekindle was installed so)`,
  );
}
