/** How a sign-in through the provider may end, as `?oidc=` says it. */

export const PROBLEMS = [
  'cancelled',
  'provider_unavailable',
  'provider_refused',
  'flow_lost',
  'token_invalid',
  'email_unverified',
  'domain_not_allowed',
  'no_account',
  'not_linked',
  'account_disabled',
  'first_account',
  'identity_taken',
  'already_linked',
  'signed_out',
] as const;

export type Problem = (typeof PROBLEMS)[number];

const RESULTS: readonly string[] = ['done', 'totp', 'linked', ...PROBLEMS];

/** A search parameter that came from the server, or from anybody who wrote the address. */
export function readOidc(value: unknown): string | undefined {
  return typeof value === 'string' && RESULTS.includes(value) ? value : undefined;
}
