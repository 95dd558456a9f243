// Exit status 0 when the address given answers with 200 within two seconds.
const [url] = process.argv.slice(2);
const isWell = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
  ({ status }) => status === 200,
  () => false,
);
process.exit(isWell ? 0 : 1);
