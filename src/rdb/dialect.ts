/** What the numbers of an RDB mean in one product and version. */
export interface Dialect {
  readonly name: 'redis' | 'valkey' | 'keydb' | 'dragonfly';
  readonly version: number;
}
