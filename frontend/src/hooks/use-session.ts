import { session, type SessionState } from '@/api/session';

import { useStore } from './use-store';

export function useSession(): SessionState {
  return useStore(session.state);
}
