import { InputError } from '../../errors.js';
import { parseS3Address } from './address.js';
import { connectS3, type S3Access } from './client.js';
import { ObjectSource } from './object.js';
import { ObjectTree } from './tree.js';

/** What stands at an address of S3: an object, or the path of a directory in `tree`. */
export interface S3Place {
  /** Null for a directory. */
  readonly object: ObjectSource | null;
  readonly path: string;
  readonly tree: ObjectTree;
}

/**
 * Looks at what stands at `s3://BUCKET/KEY`. A name that ends in `/`, or that no object has but others begin with, is a
 * directory.
 *
 * @throws InputError when there is nothing or it cannot be read; UsageError for what is no address
 */
export async function openS3(text: string, access: S3Access, signal: AbortSignal | null): Promise<S3Place> {
  const { bucket, key } = parseS3Address(text);
  const store = await connectS3(bucket, access, text);
  const tree = new ObjectTree(store, signal);
  if (key !== '' && !key.endsWith('/')) {
    const object = await ObjectSource.at(store, key, signal);
    if (object !== null) return { object, path: object.label, tree };
  }
  const path = tree.pathOf(key);
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
  const { objects, directories } = await store.list(prefix, 1);
  if (objects.size + directories.size > 0) return { object: null, path, tree };
  const what = key.endsWith('/') || key === '' ? 'no object has a name that begins so' : 'no such object';
  throw new InputError('input/missing', text, what, `check the name: aws s3 ls s3://${bucket}/`);
}
