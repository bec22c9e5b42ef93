/** The part of WebAssembly that Lua needs beyond what the kernels do: typed only with the DOM library otherwise. */
declare namespace WebAssembly {
  namespace Module {
    function imports(module: Module): { readonly module: string; readonly name: string }[];
  }
  interface Table {
    grow(slots: number): number;
    get(slot: number): unknown;
    set(slot: number, value: unknown): void;
  }
}
