/** Roles in people's words. */

import { lookup } from './i18n';
import './i18n/en-account';

export const ROLES = ['owner', 'admin', 'member', 'viewer'] as const;

export function roleName(role: string): string {
  return lookup('role', role, role);
}

/** Owners and administrators: settings, members, webhooks. */
export function isManager(role: string): boolean {
  return role === 'owner' || role === 'admin';
}

/** Whom somebody of this role may invite, change or remove; the server has the last word. */
export function manageable(role: string): readonly (typeof ROLES)[number][] {
  if (role === 'owner') return ROLES;
  return role === 'admin' ? ['member', 'viewer'] : [];
}
