/** Version of everything that crosses a process boundary; peers of another version are refused. */
export const PROTOCOL_VERSION = 2;
/** The `apiVersion` of job specs. */
export const API_VERSION = 'skipring/v1';
/** Where the coordinator's REST API is mounted. */
export const API_PREFIX = '/api/v1';
/** Path of the worker gateway's WebSocket. */
export const GATEWAY_PATH = '/gateway/v1';
/** Default port of the coordinator. */
export const DEFAULT_PORT = 7400;
