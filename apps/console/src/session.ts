import { SkipringClient } from '@skipring/client';

const KEY = 'skipring.token';

/** The token of this tab: gone when the tab is closed, and never in an address. */
export function storedToken(): string | null {
  return sessionStorage.getItem(KEY);
}

export function storeToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
}

/** A client of the coordinator that served this page. */
export function clientOf(token: string | null): SkipringClient {
  return new SkipringClient({ url: location.origin, token });
}
