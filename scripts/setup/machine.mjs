const MIN_NODE = [20, 19];

/**
 * Why nothing can be set up here, with what to do about it; `undefined` when it can. The provisioner
 * looks more closely; this comes before any package is fetched.
 */
export function unsupportedReason({
  platform = process.platform,
  arch = process.arch,
  version = process.versions.node,
  glibcVersion = runningGlibc,
} = {}) {
  const [major, minor] = version.split('.').map(Number);
  if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
    return `Node.js ${version} is too old: install Node.js ${MIN_NODE.join('.')} or later, 22 or 24`;
  }
  if (platform !== 'linux') {
    return `the platform is ${platform}: use Linux, in a virtual machine or container, or WSL 2 on Windows`;
  }
  if (arch !== 'x64') {
    return `the processor architecture is ${arch}: use an x86-64 machine and the x64 build of Node.js`;
  }
  if (glibcVersion() === undefined) {
    return 'the C library is not glibc (Alpine Linux has musl): use Debian, Ubuntu, Fedora or another glibc distribution, in a container node:22-slim and not node:22-alpine';
  }
  return undefined;
}

function runningGlibc() {
  // Without this the report looks up the names of all open connections.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime;
}
