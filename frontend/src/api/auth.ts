/** Signing in and out. */

import { useMutation, useQueryClient } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { session } from './session';
import type { RegisterRequest, TokenResponse } from './types';

export async function login(email: string, password: string): Promise<void> {
  const answer = await unwrap(http.POST('/api/auth/login', { body: { email, password } }));
  session.accept(answer as TokenResponse);
}

export async function register(body: RegisterRequest): Promise<void> {
  const answer = await unwrap(http.POST('/api/auth/register', { body }));
  session.accept(answer as TokenResponse);
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
