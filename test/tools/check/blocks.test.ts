import { describe, expect, test } from 'vitest';
import { MemorySource } from '../../../src/bytes/source.js';
import { Crc64 } from '../../../src/kernels/crc64.js';
import { checkFile } from '../../../src/tools/check/file.js';
import { resp } from '../../support/resp.js';
import { testContext } from '../context.js';

const BODIES = ['SET a 1', 'SET b 2', 'SET c 3', 'SET d 4'].map((command) => resp(command));

interface Form {
  readonly radix: 10 | 16;
  readonly withLine: boolean;
  readonly chained: boolean;
  /** What the file before ended with, when the chain goes on from there. */
  readonly earlier?: string;
}

/** A log with checksums in one of the proposed forms; the sum runs over everything before it when chained. */
function logIn({ radix, withLine, chained, earlier = '' }: Form): string {
  let text = '';
  let crc = new Crc64();
  crc.update(Buffer.from(earlier, 'latin1'));
  for (const body of BODIES) {
    const line = `#HDR:v1;len:${body.length};`;
    if (!chained) crc = new Crc64();
    crc.update(Buffer.from((withLine ? line : '') + body, 'latin1'));
    const sum = (BigInt(crc.high >>> 0) << 32n) | BigInt(crc.low >>> 0);
    text += `${line}checksum:${sum.toString(radix)};\r\n${body}`;
  }
  return text;
}

async function check(text: string) {
  const source = new MemorySource(Buffer.from(text, 'latin1'), 'appendonly.aof');
  const options = { form: 'aof', last: true, quick: false, dialect: null } as const;
  const { file, notChecked } = await checkFile(source, options, testContext());
  return {
    findings: file.findings.map(({ code, where }) => `${code} ${where.offset}`),
    left: notChecked.filter(({ routine }) => !routine).map(({ what }) => what),
  };
}

const forms = [10, 16].flatMap((radix) =>
  [true, false].flatMap((withLine) =>
    [true, false].map((chained): Form => ({ radix: radix as 10 | 16, withLine, chained })),
  ),
);

describe('checksums of blocks', () => {
  test.each(forms)('agree in the form %o', async (form) => {
    expect(await check(logIn(form))).toEqual({ findings: [], left: [] });
  });

  test.each(forms)('show a changed byte in the form %o', async (form) => {
    const text = logIn(form).replace('\r\nc\r\n', '\r\nC\r\n');
    const offset = text.lastIndexOf('#HDR', text.indexOf('\r\nC\r\n'));
    expect(await check(text)).toEqual({ findings: [`aof/block-checksum ${offset}`], left: [] });
  });

  test('go on from the file before, whose sum nobody has here', async () => {
    const form: Form = { radix: 10, withLine: false, chained: true, earlier: resp('SET z 0') };
    expect(await check(logIn(form))).toEqual({ findings: [], left: [] });
    const changed = logIn(form).replace('\r\nd\r\n', '\r\nD\r\n');
    expect((await check(changed)).findings).toEqual([`aof/block-checksum ${changed.lastIndexOf('#HDR')}`]);
  });

  test('show records that were cut out', async () => {
    const text = logIn({ radix: 16, withLine: true, chained: true });
    const second = text.indexOf('#HDR', 1);
    const third = text.indexOf('#HDR', second + 1);
    const cut = text.slice(0, second) + text.slice(third);
    expect((await check(cut)).findings).toEqual([`aof/block-checksum ${second}`]);
  });

  test('are left alone when they agree with no form', async () => {
    const text = logIn({ radix: 10, withLine: false, chained: true }).replace(/checksum:\d/g, 'checksum:9');
    expect(await check(text)).toEqual({ findings: [], left: ['checksums of 4 blocks'] });
  });

  test('do not hide damage of the log itself', async () => {
    const text = logIn({ radix: 10, withLine: false, chained: true }).replace(
      '*3\r\n$3\r\nSET\r\n$1\r\nb',
      '*3\r\n$3\r\nSET\r\n1\r\nbb',
    );
    const { findings } = await check(text);
    expect(findings.some((finding) => finding.startsWith('aof/bad-prefix'))).toBe(true);
    expect(findings.some((finding) => finding.startsWith('aof/block-checksum'))).toBe(true);
  });
});
