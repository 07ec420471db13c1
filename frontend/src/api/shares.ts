/** Sharing a transcript: links, and single accounts. For members who may write. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { keys } from './keys';
import type { Permission, ShareCreate, SharePatch } from './types';

const of = (job: string) => ({ params: { path: { job_id: job } } });

/** Asked for anew whenever it is looked at: guests change when a link was last opened, and no event tells of it. */
export function shareLinksQuery(job: string) {
  return queryOptions({
    queryKey: keys.shareLinks(job),
    queryFn: () => unwrap(http.GET('/api/jobs/{job_id}/shares', of(job))),
    staleTime: 0,
  });
}

export function grantsQuery(job: string) {
  return queryOptions({
    queryKey: keys.grants(job),
    queryFn: () => unwrap(http.GET('/api/jobs/{job_id}/grants', of(job))),
  });
}

/** The answer to `create` carries the link's address, this once. */
export function useShareLinkCommands(job: string) {
  const cache = useQueryClient();
  const again = () => cache.invalidateQueries({ queryKey: keys.shareLinks(job) });
  const link = (share_id: string) => ({ params: { path: { job_id: job, share_id } } });
  const create = useMutation({
    mutationFn: (body: ShareCreate) =>
      unwrap(http.POST('/api/jobs/{job_id}/shares', { ...of(job), body })),
    onSettled: again,
  });
  const change = useMutation({
    mutationFn: ({ id, ...body }: Partial<SharePatch> & { id: string }) =>
      // Only what is named changes; the generated type asks for what has a default.
      unwrap(
        http.PATCH('/api/jobs/{job_id}/shares/{share_id}', {
          ...link(id),
          body: body as SharePatch,
        }),
      ),
    onSettled: again,
  });
  const revoke = useMutation({
    mutationFn: (id: string) =>
      unwrap(http.DELETE('/api/jobs/{job_id}/shares/{share_id}', link(id))),
    onSettled: again,
  });
  return { create, change, revoke };
}

export function useGrantCommands(job: string) {
  const cache = useQueryClient();
  const again = () => cache.invalidateQueries({ queryKey: keys.grants(job) });
  /** Gives it, or changes what was given. */
  const put = useMutation({
    mutationFn: (body: { email: string; permission: Permission }) =>
      unwrap(http.PUT('/api/jobs/{job_id}/grants', { ...of(job), body })),
    onSettled: again,
  });
  const remove = useMutation({
    mutationFn: (user_id: string) =>
      unwrap(
        http.DELETE('/api/jobs/{job_id}/grants/{user_id}', {
          params: { path: { job_id: job, user_id } },
        }),
      ),
    onSettled: again,
  });
  return { put, remove };
}
