import type { SkipringClient } from '@skipring/client';
import { ApiError } from '@skipring/client';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { useResource, type Resource } from './resource.js';
import { clientOf } from './session.js';

export interface ClientAccess {
  readonly client: SkipringClient;
  /** To be called when the token is no longer taken. */
  readonly onRefused: () => void;
}

export const ClientContext = createContext<ClientAccess>({
  client: clientOf(null),
  onRefused: () => undefined,
});

export function useClient(): SkipringClient {
  return useContext(ClientContext).client;
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
