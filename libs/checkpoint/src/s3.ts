export { S3Storage } from './s3/s3-storage.js';
