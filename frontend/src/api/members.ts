/** Who belongs to a workspace, invitations to it, and its API keys. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { currentWorkspace } from './current-workspace';
import { keys } from './keys';
import { session } from './session';
import type { Role, Scope } from './types';

const at = (workspace: string) => ({ workspace_id: workspace });

export function membersQuery(workspace: string) {
  return queryOptions({
    queryKey: keys.members(workspace),
    queryFn: () =>
      unwrap(
        http.GET('/api/workspaces/{workspace_id}/members', { params: { path: at(workspace) } }),
      ),
  });
}

export function invitationsQuery(workspace: string) {
  return queryOptions({
    queryKey: keys.invitations(workspace),
    queryFn: () =>
      unwrap(
        http.GET('/api/workspaces/{workspace_id}/invitations', { params: { path: at(workspace) } }),
      ),
  });
}

/** Everything that changes who belongs to the workspace; the lists are read again after each. */
export function useMemberCommands(workspace: string) {
  const cache = useQueryClient();
  const again = async () => {
    await Promise.all([
      cache.invalidateQueries({ queryKey: keys.members(workspace) }),
      cache.invalidateQueries({ queryKey: keys.invitations(workspace) }),
    ]);
  };
  const member = (user_id: string) => ({ params: { path: { ...at(workspace), user_id } } });
  const changeRole = useMutation({
    mutationFn: ({ user, role }: { user: string; role: Role }) =>
      unwrap(
        http.PATCH('/api/workspaces/{workspace_id}/members/{user_id}', {
          ...member(user),
          body: { role },
        }),
      ),
    onSettled: again,
  });
  const remove = useMutation({
    mutationFn: (user: string) =>
      unwrap(http.DELETE('/api/workspaces/{workspace_id}/members/{user_id}', member(user))),
    onSettled: again,
  });
  const invite = useMutation({
    mutationFn: (body: { email: string; role: Role }) =>
      unwrap(
        http.POST('/api/workspaces/{workspace_id}/invitations', {
          params: { path: at(workspace) },
          body,
        }),
      ),
    onSettled: again,
  });
  const revoke = useMutation({
    mutationFn: (invitation_id: string) =>
      unwrap(
        http.DELETE('/api/workspaces/{workspace_id}/invitations/{invitation_id}', {
          params: { path: { ...at(workspace), invitation_id } },
        }),
      ),
    onSettled: again,
  });
  return { changeRole, remove, invite, revoke };
}

export const inspectInvitation = (token: string) =>
  unwrap(http.POST('/api/invitations/inspect', { body: { token } }));

/** Joins, reads who is signed in again (there is one workspace more), and goes there. */
export async function acceptInvitation(token: string): Promise<void> {
  const joined = await unwrap(http.POST('/api/invitations/accept', { body: { token } }));
  await session.refresh();
  currentWorkspace.choose(joined.id);
}

export function apiKeysQuery(workspace: string) {
  return queryOptions({
    queryKey: keys.apiKeys(workspace),
    queryFn: () =>
      unwrap(
        http.GET('/api/workspaces/{workspace_id}/api-keys', { params: { path: at(workspace) } }),
      ),
  });
}

export function useApiKeyCommands(workspace: string) {
  const cache = useQueryClient();
  const again = () => cache.invalidateQueries({ queryKey: keys.apiKeys(workspace) });
  const create = useMutation({
    mutationFn: (body: { name: string; scopes: Scope[]; expires_at: string | null }) =>
      unwrap(
        http.POST('/api/workspaces/{workspace_id}/api-keys', {
          params: { path: at(workspace) },
          body,
        }),
      ),
    onSettled: again,
  });
  const revoke = useMutation({
    mutationFn: (key_id: string) =>
      unwrap(
        http.DELETE('/api/workspaces/{workspace_id}/api-keys/{key_id}', {
          params: { path: { ...at(workspace), key_id } },
        }),
      ),
    onSettled: again,
  });
  return { create, revoke };
}
