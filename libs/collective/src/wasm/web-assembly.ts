/** What is used of the global `WebAssembly`, which the types of Node.js 20 leave out. */
export interface WebAssemblyMemory {
  readonly buffer: SharedArrayBuffer;
}

interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
  readonly Memory: new (descriptor: {
    initial: number;
    maximum: number;
    shared: true;
  }) => WebAssemblyMemory;
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
