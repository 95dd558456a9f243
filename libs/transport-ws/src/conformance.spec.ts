import { transportConformance } from '@skipring/collective/testing';
import { selfSigned } from './testing/self-signed.js';
import { webSocketGroup } from './testing/web-socket-group.js';

transportConformance('WebSocket', (worldSize, options) => webSocketGroup(worldSize, options));

transportConformance('WebSocket over local sockets', (worldSize, options) =>
  webSocketGroup(worldSize, options, { isLocal: true, sharedMemory: false }),
);

transportConformance('WebSocket with shared memory', (worldSize, options) =>
  webSocketGroup(worldSize, options, { isLocal: true }),
);

const tls = selfSigned();
transportConformance('WebSocket over TLS', (worldSize, options) =>
  webSocketGroup(worldSize, options, { tls }),
);
