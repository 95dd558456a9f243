// As much of redis-cli as a probe asks of it: `redis-cli ping` with the password of REDISCLI_AUTH.
import { connect } from 'node:net';

const { POD_ADDRESS, REDISCLI_AUTH } = process.env;
const socket = connect(6379, POD_ADDRESS, () => {
  socket.end(`AUTH ${REDISCLI_AUTH}\r\nPING\r\nQUIT\r\n`);
});
socket.on('data', (data) => process.stdout.write(data));
socket.on('error', ({ message }) => {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
});
