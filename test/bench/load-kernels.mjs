import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** Kernels that import nothing at run time, taken from their source, so that inputs can be made without a build. */
export async function loadKernels() {
  const [crc, lzf] = await Promise.all(['crc64-tables', 'lzf-plain'].map(load));
  return { updateCrc64: crc.updateCrc64, lzfCompress: lzf.lzfCompressPlain };
}

function load(name) {
  const source = readFileSync(new URL(`../../src/kernels/${name}.ts`, import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}
