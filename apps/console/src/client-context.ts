import type { SkipringClient } from '@skipring/client';
import { ApiError } from '@skipring/client';
import { hasRole, type PrincipalView, type Role } from '@skipring/protocol';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { useResource, type Resource } from './resource.js';
import { clientOf } from './session.js';

export interface ClientAccess {
  readonly client: SkipringClient;
  /** Whose token is sent; null while the coordinator could not be asked. */
  readonly principal: PrincipalView | null;
  /** To be called when the token is no longer taken. */
  readonly onRefused: () => void;
}

export const ClientContext = createContext<ClientAccess>({
  client: clientOf(null),
  principal: null,
  onRefused: () => undefined,
});

export function useClient(): SkipringClient {
  return useContext(ClientContext).client;
}

export function usePrincipal(): PrincipalView | null {
  return useContext(ClientContext).principal;
}

/** Whether the user has a role, or one above it. What others may not do is not offered to them. */
export function useMay(needed: Role): boolean {
  const principal = usePrincipal();
  return principal !== null && hasRole(principal.role, needed);
}

/** Whether the user may change what belongs to `owner`: a submitter its own, an admin everything. */
export function useMayChange(owner: string): boolean {
  const principal = usePrincipal();
  const isOwner = principal?.name === owner;
  return useMay(isOwner ? 'submitter' : 'admin');
}

/** `useResource` of something that the API serves. */
export function useApi<T>(
  key: string | null,
  load: (client: SkipringClient) => Promise<T>,
  options: { readonly everyMs?: number | undefined } = {},
): Resource<T> {
  const { client, onRefused } = useContext(ClientContext);
  const guarded = async (): Promise<T> => {
    try {
      return await load(client);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) onRefused();
      throw error;
    }
  };
  return useResource(key, guarded, options);
}
