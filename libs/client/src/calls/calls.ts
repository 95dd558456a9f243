import type { Http } from '../http.js';

/** A group of calls of the API. */
export class Calls {
  constructor(protected readonly http: Http) {}
}
