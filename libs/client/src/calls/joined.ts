import type { Http } from '../http.js';
import { Calls } from './calls.js';

type Group = new (http: Http) => Calls;
/** A | B to A & B. */
type All<T> = (T extends unknown ? (each: T) => void : never) extends (all: infer A) => void
  ? A
  : never;
type Joined<G extends readonly Group[]> = new (http: Http) => All<InstanceType<G[number]>>;

/** One class with the calls of several groups, which have no name of a call in common. */
export function joined<G extends readonly Group[]>(...groups: G): Joined<G> {
  class AllCalls extends Calls {}
  for (const { prototype } of groups) {
    for (const [name, call] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name !== 'constructor') Object.defineProperty(AllCalls.prototype, name, call);
    }
  }
  return AllCalls as unknown as Joined<G>;
}
