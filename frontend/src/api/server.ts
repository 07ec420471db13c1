/** The server itself, for its administrators: how it does, and the limits of its workspaces. */

import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';

import { ApiError } from '@/lib/errors';

import { http, unwrap } from './client';
import { keys } from './keys';
import type { Quotas, Ready } from './types';

export const statusQuery = queryOptions({
  queryKey: keys.status,
  queryFn: () => unwrap(http.GET('/api/admin/status')),
});

/** How often an open status page looks again, in ms. */
export const LOOK_AGAIN_MS = 15_000;

/** What is wrong comes as 503, with the same report. */
export const readyQuery = queryOptions({
  queryKey: keys.ready,
  queryFn: async (): Promise<Ready> => {
    const { data, error, response } = await http.GET('/ready');
    const report = data ?? (error as unknown as Ready | undefined);
    if (report && 'checks' in report) return report;
    throw new ApiError(response.status, { code: 'unavailable', message: '' });
  },
  refetchInterval: LOOK_AGAIN_MS,
});

export function managedWorkspacesQuery(q: string) {
  return infiniteQueryOptions({
    queryKey: keys.managedWorkspaces(q),
    queryFn: ({ pageParam }) =>
      unwrap(
        http.GET('/api/admin/workspaces', {
          params: { query: { q: q || undefined, cursor: pageParam ?? undefined } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
}

/** Null takes a limit away. */
export function useSetQuotas() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: ({ id, quotas }: { id: string; quotas: Quotas }) =>
      unwrap(
        http.PATCH('/api/admin/workspaces/{workspace_id}/quotas', {
          params: { path: { workspace_id: id } },
          body: quotas,
        }),
      ),
    onSettled: () => cache.invalidateQueries({ queryKey: keys.managedWorkspaces('').slice(0, 2) }),
  });
}
