export * from './client.js';
export * from './errors.js';
export type { ClientOptions } from './http.js';
