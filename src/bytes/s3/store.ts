/** What an object is, content aside. */
export interface ObjectFacts {
  /** Of the whole object, in bytes. */
  readonly size: number;
  /** Names the content: another one means that the object was replaced. */
  readonly etag: string;
}

/** One answer to a request for bytes of an object. */
export interface ObjectPart extends ObjectFacts {
  /** The bytes asked for; ends early, or fails, when the connection is cut. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Which bytes: `[start, end)`, all of them within the object. */
export interface PartRequest {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  /** What the object must still be. */
  readonly etag: string;
  readonly signal: AbortSignal;
}

/** What stands under a prefix, one level deep. */
export interface ObjectListing {
  /** Objects by the rest of their names, and their sizes in bytes. */
  readonly objects: ReadonlyMap<string, number>;
  /** The next part of longer names. */
  readonly directories: ReadonlySet<string>;
}

/** A bucket, as much of it as reading takes. */
export interface ObjectStore {
  /** How messages name the bucket: `s3://BUCKET`. */
  readonly label: string;
  /** Null when there is no such object, or no such bucket. @throws InputError */
  look(key: string, signal: AbortSignal | null): Promise<ObjectFacts | null>;
  /** Null when there is no such object any more. @throws PassingFailure when it is worth another try; InputError */
  get(request: PartRequest): Promise<ObjectPart | null>;
  /** Names that begin with the prefix; where there are more than `limit`, not all of them. @throws InputError */
  list(prefix: string, limit: number): Promise<ObjectListing>;
}

/** A request that failed in a way that may pass: a connection that was cut, a server that was busy. */
export class PassingFailure extends Error {
  override readonly name = 'PassingFailure';
}
