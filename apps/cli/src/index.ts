export { LocalCluster, type ClusterOptions } from './launch/local-cluster.js';
export { makeProgram } from './program.js';
