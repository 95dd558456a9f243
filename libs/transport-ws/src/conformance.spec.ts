import { transportConformance } from '@skipring/collective/testing';
import { webSocketGroup } from './testing/web-socket-group.js';

transportConformance('WebSocket', (worldSize, options) => webSocketGroup(worldSize, options));
