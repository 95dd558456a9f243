export { RingListener, type RingListenerOptions } from './ring-listener.js';
export { connectRing, DEFAULT_SEGMENT_BYTES, type ConnectRingOptions } from './connect-ring.js';
export type { DialTarget } from './dial.js';
export type { RingTls } from './ring-tls.js';
export type { SendInterceptor } from './send-interceptor.js';
export { SilenceWatch, type SilenceLimits } from './silence-watch.js';
