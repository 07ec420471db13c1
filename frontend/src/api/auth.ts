/** Signing in and out. */

import { useMutation, useQueryClient } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { session } from './session';
import type { RegisterRequest, TokenResponse } from './types';

/** Throws `totp_required` where a second factor has to come along as `code`. */
export async function login(email: string, password: string, code?: string): Promise<void> {
  const body = { email, password, ...(code ? { code } : {}) };
  const answer = await unwrap(http.POST('/api/auth/login', { body }));
  session.accept(answer as TokenResponse);
}

/** False where the address has to be verified before anybody is signed in. */
export async function register(body: RegisterRequest): Promise<boolean> {
  const answer = await unwrap(http.POST('/api/auth/register', { body }));
  if (!('access_token' in answer)) return false;
  session.accept(answer as TokenResponse);
  return true;
}

export function useLogout() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      // Signing out here must work even where the server cannot be told.
      await http.POST('/api/auth/logout').catch(() => undefined);
      session.signedOut();
      cache.clear();
    },
  });
}

export async function changePassword(current: string, next: string): Promise<void> {
  await unwrap(
    http.POST('/api/auth/password', { body: { current_password: current, new_password: next } }),
  );
}
