/** What `?oidc=` says, in sentences. */

import { t } from '@/lib/i18n';
import '@/lib/i18n/en-oidc';

import type { Problem } from './oidc-result';

const TEXTS: Record<Problem, () => string> = {
  cancelled: () => t('oidc.cancelled'),
  provider_unavailable: () => t('oidc.unavailable'),
  provider_refused: () => t('oidc.refused'),
  flow_lost: () => t('oidc.lost'),
  token_invalid: () => t('oidc.refused'),
  email_unverified: () => t('oidc.emailUnverified'),
  domain_not_allowed: () => t('oidc.domain'),
  no_account: () => t('oidc.noAccount'),
  not_linked: () => t('oidc.notLinked'),
  account_disabled: () => t('oidc.disabled'),
  first_account: () => t('oidc.firstAccount'),
  identity_taken: () => t('oidc.taken'),
  already_linked: () => t('oidc.alreadyLinked'),
  signed_out: () => t('oidc.signedOut'),
};

/** Why it did not work; null where nothing is wrong. */
export function oidcProblem(result: string | undefined): string | null {
  return result && Object.hasOwn(TEXTS, result) ? TEXTS[result as Problem]() : null;
}
