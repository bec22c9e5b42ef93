import { UsageError } from '../../errors.js';

/** A bucket, and an object in it or what objects' names begin with. */
export interface S3Address {
  readonly bucket: string;
  /** '' for the whole bucket; ends in `/` for a directory. */
  readonly key: string;
}

/** Whether a word names an object rather than a file. */
export function isS3Address(text: string): boolean {
  return /^s3:\/\//i.test(text);
}

/**
 * `s3://BUCKET/KEY`, `s3://BUCKET/PREFIX/` or `s3://BUCKET`. Keys stand as they are: nothing in them is decoded.
 *
 * @throws UsageError for anything else; its message never repeats what may hold a secret
 */
export function parseS3Address(text: string): S3Address {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)\/?([\s\S]*)$/i.exec(text) ?? [];
  if (/^[a-z0-9][a-z0-9._-]*$/i.test(bucket)) return { bucket, key };
  throw new UsageError(
    'this is no address of an object in S3',
    'give s3://BUCKET/KEY, or s3://BUCKET/PREFIX/ for a directory; keys and secrets come from the environment (AWS_…)',
  );
}
