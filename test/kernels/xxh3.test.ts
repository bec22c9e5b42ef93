import { describe, expect, test } from 'vitest';
import { xxh3, xxh128 } from '../../src/kernels/xxh3.js';

/** What the reference implementation, xxHash 0.8.3, gives for that many of these bytes; a row for each way of mixing. */
const REFERENCE: readonly (readonly [length: number, hash: string, low: string, high: string])[] = [
  [0, '2d06800538d394c2', '6001c324468d497f', '99aa06d3014798d8'],
  [1, 'c44bdff4074eecdb', 'c44bdff4074eecdb', 'a6cd5e9392000f6a'],
  [2, 'b0a5d4f167a89d5e', 'b0a5d4f167a89d5e', '5008d8f8cd45f8ec'],
  [3, 'e14090f554a5ea90', 'e14090f554a5ea90', '977fcbc0448b49f6'],
  [4, '2e8d078a566e9749', '4ee6926f0426173e', '4e82b36688c5328f'],
  [7, 'e6f7770846c47df5', '5669ede136b8c8b5', 'cb234cb3ad8748a9'],
  [8, 'cd1c7f88482fcaef', '79d85adaeefd615e', '7b4966a681f18d57'],
  [9, 'bfe43def699fa9e3', 'ee5940d4df4715ae', '200d098a7113e15f'],
  [16, '81e9eb8634460bb9', '37286a19cf622308', '78e8ab538d3acaab'],
  [17, '9998430fd0a655be', '33bed349ec1c0ce7', '1ea709ada2b9c32e'],
  [32, '938c25dd24c9cf3b', '34875ae75c27bc73', '4e9c19033e772df4'],
  [33, '0e399d30188e9c8e', '9cd7914bbaf713b9', '3d498fc14d9681e1'],
  [64, '22a06b30c4c72936', 'a6e3ffeedc6985dd', '5834551911de3391'],
  [65, '7faff6eee7812d5c', '7e0ee245264914b3', 'df2f64d70d4f0d46'],
  [96, '324046d7ff9771f1', '5b78a2f5ca076877', '05431e0d5c95bd49'],
  [97, '00d61f9a16f8effd', 'fb99b300b0c8dc93', 'fdfcca3a469c918a'],
  [128, '75eca5c5d5594884', 'e1f0636051ccd2be', '5ac741c59c95d36a'],
  [129, 'a05da42e7a4e4667', 'cfb3fed667226458', '1240f4d960139642'],
  [143, '516036caa68597ec', 'ba7ac19e40ec9d4c', '7d862fbc98d0f8f6'],
  [144, '2e63ceed9f938e07', '0a909000a357afdc', '5a40a8ffc1474482'],
  [160, 'd298ab4e6e7de4aa', '4a430a4b144ed2d0', '934688b34070b900'],
  [239, 'a44c92feed3d48fa', '2c801ae791bfdf99', 'a2bb482e57b94227'],
  [240, '5eb2467c8c9e3969', 'b2e6947c477a4ab0', '640a6149838a7599'],
  [241, '2d431e984c441f15', '2d431e984c441f15', 'e817e20e53e42a8c'],
  [256, '1369aaf85f8b805a', '1369aaf85f8b805a', '96b9c38548dd27ee'],
  [300, 'ebc3ae32ea3a7d0a', 'ebc3ae32ea3a7d0a', 'c461be69c1449412'],
  [720, 'fb6680b1b9b5fdc5', 'fb6680b1b9b5fdc5', 'fca90efae452aa61'],
  [1728, 'ddb16780b0b507ca', 'ddb16780b0b507ca', '9bff31cd03a57759'],
  [4147, '6d3589e95933c209', '6d3589e95933c209', '04625df83800bafc'],
];

const bytes = Buffer.alloc(9000);
for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 2654435761) >>> 24;

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');

describe('XXH3', () => {
  test.each(REFERENCE)('of %i bytes', (length, hash, low, high) => {
    // Behind another byte, so that positions count.
    const shifted = Buffer.concat([Buffer.from([7]), bytes.subarray(0, length), Buffer.from([8])]);
    expect(hex(xxh3(shifted, 1, 1 + length))).toBe(hash);
    const both = xxh128(shifted, 1, 1 + length);
    expect([hex(both.low), hex(both.high)]).toEqual([low, high]);
  });
});
