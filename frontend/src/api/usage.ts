/** What a workspace uses, and who did what in it. */

import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

import { http, unwrap } from './client';
import { keys } from './keys';

/** `month` as in 2026-11, in UTC. */
export function usageQuery(workspace: string, month: string) {
  return queryOptions({
    queryKey: keys.usage(workspace, month),
    queryFn: () =>
      unwrap(
        http.GET('/api/workspaces/{workspace_id}/usage', {
          params: { path: { workspace_id: workspace }, query: { month } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** For owners and admins. */
export function auditQuery(workspace: string) {
  return infiniteQueryOptions({
    queryKey: keys.audit(workspace),
    queryFn: ({ pageParam }) =>
      unwrap(
        http.GET('/api/workspaces/{workspace_id}/audit', {
          params: {
            path: { workspace_id: workspace },
            query: { limit: 50, cursor: pageParam ?? undefined },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}
