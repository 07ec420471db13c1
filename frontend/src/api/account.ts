/** One's own account: mailed tokens, the second factor, devices. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { keys } from './keys';
import { session } from './session';

export const forgotPassword = (email: string) =>
  unwrap(http.POST('/api/auth/password/forgot', { body: { email } }));

export const resetLinkQuery = (token: string) =>
  queryOptions({
    queryKey: keys.resetLink(token),
    queryFn: () =>
      unwrap(http.POST('/api/auth/password/reset/check', { body: { token } })).then(() => true),
    staleTime: Infinity,
  });

export const resetPassword = (token: string, password: string) =>
  unwrap(http.POST('/api/auth/password/reset', { body: { token, new_password: password } }));

export const verifyEmail = (token: string) =>
  unwrap(http.POST('/api/auth/verify-email', { body: { token } }));

export const resendVerification = (email: string) =>
  unwrap(http.POST('/api/auth/verify-email/resend', { body: { email } }));

export async function rename(name: string): Promise<void> {
  session.changed(await unwrap(http.PATCH('/api/auth/me', { body: { name } })));
}

/** Reads again who is signed in, and which workspaces they belong to. */
export async function rereadMe(): Promise<void> {
  session.changed(await unwrap(http.GET('/api/auth/me')));
}

export const factorQuery = queryOptions({
  queryKey: keys.factor,
  queryFn: () => unwrap(http.GET('/api/auth/totp')),
});

export const setUpFactor = (password: string) =>
  unwrap(http.POST('/api/auth/totp/setup', { body: { password } }));

export const enableFactor = (code: string) =>
  unwrap(http.POST('/api/auth/totp/enable', { body: { code } }));

export const disableFactor = (password: string, code: string) =>
  unwrap(http.POST('/api/auth/totp/disable', { body: { password, code } }));

export const renewBackupCodes = (password: string, code: string) =>
  unwrap(http.POST('/api/auth/totp/backup-codes', { body: { password, code } }));

export const devicesQuery = queryOptions({
  queryKey: keys.devices,
  queryFn: () => unwrap(http.GET('/api/auth/sessions')),
});

/** Signs one device out, or all others where no id is given. */
export function useSignOutDevice() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string | null) =>
      id
        ? unwrap(
            http.DELETE('/api/auth/sessions/{session_id}', {
              params: { path: { session_id: id } },
            }),
          )
        : unwrap(http.DELETE('/api/auth/sessions')),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.devices }),
  });
}

/** The account goes, and with it this sign-in. */
export async function deleteAccount(password: string, code: string): Promise<void> {
  await unwrap(http.POST('/api/auth/delete', { body: { password, ...(code ? { code } : {}) } }));
  session.signedOut();
}
