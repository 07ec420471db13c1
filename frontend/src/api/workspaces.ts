/** What holds for all jobs of a workspace. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { callJson } from './client';
import { keys } from './keys';
import type { WorkspaceSettings } from './types';

const path = (id: string) => `/api/workspaces/${encodeURIComponent(id)}/settings`;

export function workspaceSettingsQuery(id: string) {
  return queryOptions({
    queryKey: keys.workspaceSettings(id),
    queryFn: () => callJson<WorkspaceSettings>('GET', path(id)),
  });
}

export function useSaveWorkspaceSettings(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<WorkspaceSettings>) =>
      callJson<WorkspaceSettings>('PATCH', path(id), change),
    onSuccess: (saved) => {
      cache.setQueryData(keys.workspaceSettings(id), saved);
      // Whether providers may be used shows in the list of engines.
      void cache.invalidateQueries({ queryKey: keys.options });
    },
  });
}
