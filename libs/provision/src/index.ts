export { ProvisionError, type ProvisionErrorCode } from './errors.js';
export type { DeviceChoice, IndexOptions, ProvisionOptions } from './options/options.js';
export { cacheDirectory, optionsFromEnvironment, type Environment } from './options/environment.js';
export {
  createProgress,
  formatBytes,
  silentProgress,
  type ProgressReporter,
  type ProgressStream,
  type ProgressTask,
} from './progress.js';
export { ensureRedis, provision, type Provisioned } from './provision.js';
export type { Device } from './machine/device.js';
export { findRedisServer, type RedisServer } from './redis/find-redis.js';
export {
  startRedis,
  type RedisExit,
  type RedisOptions,
  type RunningRedis,
} from './redis/start-redis.js';
export type { Check, CheckStatus } from './doctor/check.js';
export { acquireLock, type LockOptions, type ProcessLock } from './cache/process-lock.js';
export { doctor, type DoctorOptions } from './doctor/doctor.js';
