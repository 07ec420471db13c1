import { currentWorkspace } from '@/api/current-workspace';
import type { UserWorkspace } from '@/api/types';

import { useStore } from './use-store';

/** The workspace that requests mean; null while nobody is signed in. */
export function useWorkspace(): UserWorkspace | null {
  return useStore(currentWorkspace.state);
}
