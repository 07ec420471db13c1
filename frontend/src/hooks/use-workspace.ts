import type { UserMe } from '@/api/types';

import { useSession } from './use-session';

/** The workspace that requests mean; null while nobody is signed in. */
export function useWorkspace(): UserMe['workspaces'][number] | null {
  const state = useSession();
  return state.status === 'signed-in' ? (state.user.workspaces[0] ?? null) : null;
}
