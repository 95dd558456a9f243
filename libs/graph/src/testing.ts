export { stockTwin } from './testing/stock-twin.js';
