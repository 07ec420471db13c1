/** Workspaces: made, renamed, left and deleted; their settings. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { rereadMe } from './account';
import { http, unwrap } from './client';
import { currentWorkspace, inWorkspace } from './current-workspace';
import { keys } from './keys';
import { session } from './session';
import type { WorkspaceSettings } from './types';

const PATH = '/api/workspaces/{workspace_id}/settings';
const of = (id: string) => ({ params: { path: { workspace_id: id } } });

/** Makes a workspace and goes there. */
export async function createWorkspace(name: string): Promise<void> {
  const made = await unwrap(http.POST('/api/workspaces', { body: { name } }));
  await rereadMe();
  currentWorkspace.choose(made.id);
}

export async function renameWorkspace(id: string, name: string): Promise<void> {
  await unwrap(http.PATCH('/api/workspaces/{workspace_id}', { ...of(id), body: { name } }));
  await rereadMe();
}

export async function leaveWorkspace(id: string): Promise<void> {
  await unwrap(http.POST('/api/workspaces/{workspace_id}/leave', of(id)));
  await rereadMe();
}

/** For owners; `name` repeats the name of the workspace. */
export async function deleteWorkspace(id: string, name: string): Promise<void> {
  await unwrap(http.DELETE('/api/workspaces/{workspace_id}', { ...of(id), body: { name } }));
  await rereadMe();
}

/** The workspace, of those that are not shown, that has this job; null where none has. */
export async function workspaceOfJob(jobId: string): Promise<string | null> {
  const others = (session.user?.workspaces ?? []).filter(({ id }) => id !== currentWorkspace.id);
  for (const { id } of others) {
    const { response } = await http.GET('/api/jobs/{job_id}', {
      ...inWorkspace(id),
      params: { path: { job_id: jobId } },
    });
    if (response.ok) return id;
  }
  return null;
}

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
