/** Signing in through the provider, and the accounts there that sign in to one's own. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { keys } from './keys';
import { session } from './session';

/** A page, not a call: the browser leaves for the provider. */
export const startHref = (next: string) => `/api/auth/oidc/start?next=${encodeURIComponent(next)}`;

/** The second factor after the provider. Throws `totp_invalid`, `oidc_expired`. */
export async function proveFactor(code: string): Promise<void> {
  session.accept(await unwrap(http.POST('/api/auth/oidc/factor', { body: { code } })));
}

/** Where to go to link one's account. */
export const beginLink = async (password: string) =>
  (await unwrap(http.POST('/api/auth/oidc/link', { body: { password } }))).url;

export const identitiesQuery = queryOptions({
  queryKey: keys.identities,
  queryFn: () => unwrap(http.GET('/api/auth/oidc/identities')),
});

export function useRemoveIdentity() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(
        http.DELETE('/api/auth/oidc/identities/{identity_id}', {
          params: { path: { identity_id: id } },
        }),
      ),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.identities }),
  });
}
