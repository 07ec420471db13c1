/** What holds for all jobs of a workspace. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { keys } from './keys';
import type { WorkspaceSettings } from './types';

const PATH = '/api/workspaces/{workspace_id}/settings';
const of = (id: string) => ({ params: { path: { workspace_id: id } } });

export function workspaceSettingsQuery(id: string) {
  return queryOptions({
    queryKey: keys.workspaceSettings(id),
    queryFn: () => unwrap(http.GET(PATH, of(id))),
  });
}

export function useSaveWorkspaceSettings(id: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<WorkspaceSettings>) =>
      // Only what is named changes; the generated type asks for what has a default.
      unwrap(http.PATCH(PATH, { ...of(id), body: change as WorkspaceSettings })),
    onSuccess: (saved) => {
      cache.setQueryData(keys.workspaceSettings(id), saved);
      // Whether providers may be used shows in the list of engines.
      void cache.invalidateQueries({ queryKey: keys.options });
    },
  });
}
