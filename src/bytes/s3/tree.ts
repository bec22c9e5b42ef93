import { InputError } from '../../errors.js';
import type { FileTree, SizedSource } from '../file-tree.js';
import { ObjectSource } from './object.js';
import type { ObjectListing, ObjectStore } from './store.js';

/** More names than this under one prefix is no data directory. */
const NAMES_MAX = 100_000;

/** The objects of a bucket as a tree whose paths are `s3://BUCKET/KEY`: what is between two slashes is a directory. */
export class ObjectTree implements FileTree {
  private readonly listings = new Map<string, Promise<ObjectListing>>();

  constructor(
    private readonly store: ObjectStore,
    private readonly signal: AbortSignal | null,
  ) {}

  /** The path of a directory; '' is the bucket. */
  pathOf(key: string): string {
    return key === '' ? this.store.label : `${this.store.label}/${key.replace(/\/+$/, '')}`;
  }

  async list(directory: string): Promise<string[]> {
    // Of what is known to be an object nothing need be asked.
    const known = this.listings.has(this.keyOf(this.parent(directory)));
    if (known && (await this.look(directory))?.kind !== 'directory') return [];
    const { objects, directories } = await this.inside(this.keyOf(directory));
    return [...new Set([...objects.keys(), ...directories])].sort();
  }

  async look(path: string): ReturnType<FileTree['look']> {
    const key = this.keyOf(path);
    const slash = key.lastIndexOf('/');
    const beside = key === '' ? undefined : this.listings.get(key.slice(0, Math.max(0, slash)));
    if (beside !== undefined) {
      const { objects, directories } = await beside;
      const size = objects.get(key.slice(slash + 1));
      if (size !== undefined) return { kind: 'file', size };
      return directories.has(key.slice(slash + 1)) ? { kind: 'directory', size: 0 } : null;
    }
    // What it stands in may hold thousands of others: only it is asked for.
    const facts = key === '' ? null : await this.store.look(key, this.signal);
    if (facts !== null) return { kind: 'file', size: facts.size };
    const { objects, directories } = await this.inside(key);
    return objects.size + directories.size === 0 ? null : { kind: 'directory', size: 0 };
  }

  async open(path: string): Promise<SizedSource> {
    const source = await ObjectSource.at(this.store, this.keyOf(path), this.signal);
    if (source !== null) return source;
    throw new InputError('input/missing', path, 'no such object in the bucket', 'check the name');
  }

  parent(directory: string): string {
    return this.pathOf(this.keyOf(directory).replace(/(^|\/)[^/]*$/, ''));
  }

  /** Asked for once: what a directory holds is one state of it, not several. */
  private inside(key: string): Promise<ObjectListing> {
    let listing = this.listings.get(key);
    if (listing === undefined) {
      listing = this.listAll(key === '' ? '' : `${key}/`);
      this.listings.set(key, listing);
    }
    return listing;
  }

  private async listAll(prefix: string): Promise<ObjectListing> {
    const listing = await this.store.list(prefix, NAMES_MAX);
    if (listing.objects.size + listing.directories.size <= NAMES_MAX) return listing;
    const place = `${this.store.label}/${prefix}`;
    throw new InputError(
      'input/ambiguous',
      place,
      `holds more than ${NAMES_MAX} names`,
      'name a narrower prefix',
    );
  }

  private keyOf(path: string): string {
    return path.slice(this.store.label.length).replace(/^\/+|\/+$/g, '');
  }
}
