import { ApiError, type SkipringClient } from '@skipring/client';
import type { PrincipalView } from '@skipring/protocol';

/**
 * Whose token this client sends; null when the coordinator does not take it.
 * @throws ConnectionError when it cannot be asked, ApiError and ResponseError
 */
export async function askPrincipal(client: SkipringClient): Promise<PrincipalView | null> {
  try {
    return await client.whoAmI();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}
