export { numKept } from './testing/num-kept.js';
export { stockTwin } from './testing/stock-twin.js';
