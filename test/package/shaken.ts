import { MemorySource, readRdb } from 'rekindle';

for await (const _keys of readRdb(new MemorySource(new Uint8Array(0)))) break;
