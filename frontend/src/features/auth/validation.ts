/** Checks before sending; the server has the last word. */

import { t } from '@/lib/i18n';

export function checkEmail(value: string): string | null {
  const email = value.trim();
  if (!email) return t('field.emailMissing');
  return /^\S+@\S+$/.test(email) ? null : t('field.emailInvalid');
}

/** Length in characters as people count them, not UTF-16 units. */
export function checkNewPassword(value: string, minLength: number): string | null {
  if (!value) return t('field.passwordMissing');
  const length = [...value].length;
  if (length >= minLength) return null;
  return t('field.passwordShort', { count: minLength, left: minLength - length });
}
