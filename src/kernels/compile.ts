const modules = new Map<string, WebAssembly.Module>();

/**
 * The module of a kernel, given as base64: compiled once, however many are started of it.
 *
 * @throws Error where WebAssembly is not to be had
 */
export function compile(base64: string): WebAssembly.Module {
  const known = modules.get(base64);
  if (known !== undefined) return known;
  const module = new WebAssembly.Module(Buffer.from(base64, 'base64'));
  modules.set(base64, module);
  return module;
}
