import { expect, test } from 'vitest';
import { aofCases, rdbCases, testdata } from '../support/corpus.js';
import { describeServer, officialCheck, withServer } from '../support/server.js';

// The live tests compare against what a server of today makes of a dataset of the past. That this server is a fair
// judge, that it holds the same dataset as the server which wrote the truth, is shown here.
describeServer('the real server as a judge', () => {
  for (const { title, path, truth } of rdbCases('redis-7.0.15')) {
    test(`keeps every key of ${title}`, async () => {
      await withServer({ rdb: path }, async (server) => {
        expect(await server.sizes()).toEqual(truth.dbsize);
        expect(await server.digest()).toBe(truth.digest);
      });
    });
  }

  for (const { title, path, truth } of aofCases('redis-7.0.15')) {
    test(`keeps every key of ${title}`, async () => {
      await withServer({ dataDirectory: path }, async (server) => {
        expect(await server.sizes()).toEqual(truth.dbsize);
        expect(await server.digest()).toBe(truth.digest);
      });
    });
  }

  test('reports why it could not start', async () => {
    const broken = withServer({ rdb: testdata('README.md') }, async () => {});
    await expect(broken).rejects.toThrow(/Wrong signature trying to load DB from file/);
  });

  test('cuts the torn tail of the crashed directory', async () => {
    const path = testdata('crashed');
    await withServer({ dataDirectory: path }, async (server) => {
      expect(server.log()).toMatch(/Truncating the AOF appendonly\.aof\.3\.incr\.aof at offset 53099/);
      expect(await server.digest()).toBe('5f42fc5ccd52b439ac694fa92b1d8438ecf76a35');
    });
  });

  test('has its checkers beside it', () => {
    const whole = rdbCases('redis-7.0.15').find((one) => one.name === 'small');
    expect(officialCheck('redis-check-rdb', whole?.path ?? '')).toMatchObject({ code: 0 });
    expect(officialCheck('redis-check-rdb', testdata('README.md'))).toMatchObject({ code: 1 });
  });
});
